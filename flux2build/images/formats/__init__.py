"""Picture formats: one module says all that flux2build knows about one."""
