"""Meters: they take readings from files and machines, seal them in signed batches, and keep these for the node.

Begin with `meter.py`.
"""

__all__ = ["csv_readings", "former_imports", "host_probe", "importing", "meter", "signed_readings", "uplink"]
