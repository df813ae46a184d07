"""Plans and checks after an edit, for which only affected assets are read and judged again."""
