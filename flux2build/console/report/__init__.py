"""Reports of changes, for people who review pictures as they review code."""
