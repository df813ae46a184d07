"""The operations on pictures: one module each, ending in `OP`."""
