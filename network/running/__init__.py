"""Starts and ends processes, natively or in Docker."""
