"""Meters: they take readings from files and machines, seal them in signed batches, and keep these for the node.

Begin with `meter.py`.
"""
