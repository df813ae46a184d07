"""Colours: how they are written, how far apart they are, which of them a picture has."""
