"""The places in which a team can keep its store: one module each, ending in `BACKEND`."""
