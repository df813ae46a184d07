"""Findings of checks as people and services read them."""
