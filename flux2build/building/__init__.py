"""Carrying out a plan: the only loop that spends."""
