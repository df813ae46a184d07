"""Neural networks that operations use: each runs in a process of its own, which may crash."""
