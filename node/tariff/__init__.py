"""Tariffs as people handle them: files, words, simulations, curves."""
