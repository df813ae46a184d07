"""The texts about files: one module each, ending in `DOCUMENT`."""
