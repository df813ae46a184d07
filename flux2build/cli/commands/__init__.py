"""The commands: one module each, ending in `COMMAND`."""
