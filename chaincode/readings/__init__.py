"""Readings: signed batches in columns, in the form in which meters write them.

Begin with `batch.py`.
"""
