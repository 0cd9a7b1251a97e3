"""Readings: signed batches in columns, in the form in which meters write them.

Begin with `batch.py`.
"""

__all__ = ["batch", "columns", "stream"]
