"""The checks: one module each, ending in `CHECK`."""
