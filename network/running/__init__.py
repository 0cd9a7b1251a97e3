"""Processes, natively or in Docker."""
