"""Pixels and the files that hold them; nothing here touches the disk."""
