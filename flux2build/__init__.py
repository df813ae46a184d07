"""The build system for images that cost money."""

__version__ = "0.1.0"
