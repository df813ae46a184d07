"""One project, opened: its spec, its files, its settings."""
