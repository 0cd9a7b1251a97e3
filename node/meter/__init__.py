"""Meters: readings from files and machines, sealed in signed batches, kept until the node has them.

Begin with `meter.py`.
"""
