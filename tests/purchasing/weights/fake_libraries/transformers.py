"""Nothing but its version."""

__version__ = "0"
