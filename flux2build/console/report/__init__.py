"""Reports of what has changed, for people who review pictures as they review code."""
