"""Placing orders, collecting what was bought, and settling what is open."""
