"""Reads `assets.toml`, down to the recipe of every file."""
