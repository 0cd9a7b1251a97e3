"""Tariffs for people: files, sentences, simulations, charts and bills."""

__all__ = ["bill", "chart", "explain", "file", "runs", "simulate", "text", "work_item_cost"]
