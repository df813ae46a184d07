"""What an edit comes to: only what it touches is read and judged again."""
