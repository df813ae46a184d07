"""Words on a picture: their parameters in a spec, and how they are drawn."""
