"""Placing orders, and settling what became of them."""
