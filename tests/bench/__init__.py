"""Measures Zunft's speed and memory: `python -m tests.bench`. Begin with __main__.py."""
