"""Starts and ends processes, natively or in Docker."""

__all__ = ["docker_runtime", "log_file", "native", "process"]
