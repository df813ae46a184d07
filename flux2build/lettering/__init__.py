"""Exact lettering: words, fonts and a box in; glyphs in their places, and their ink, out."""
