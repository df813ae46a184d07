"""Renders with open weights, in worker processes, without importing torch here."""
