"""Tariffs for people: files, sentences, simulations, charts and bills."""
