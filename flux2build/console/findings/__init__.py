"""The output formats of findings: one module each, ending in `FORMAT`."""
