"""Readings: signed batches in columns, as meters write them.

Begin with `batch.py`.
"""
