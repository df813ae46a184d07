"""The providers of models: one module each, ending in `PROVIDER`."""
