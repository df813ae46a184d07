"""What the user wants: `assets.toml`, down to the recipe of every file."""
