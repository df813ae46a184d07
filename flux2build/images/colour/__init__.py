"""Colours: how they are written, how far apart they are, how they mix."""
