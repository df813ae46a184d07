"""Words on a picture: what is said of them in a spec, and how they are drawn."""
