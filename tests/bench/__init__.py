"""How fast it is: `python -m tests.bench`. Begin with __main__.py."""
