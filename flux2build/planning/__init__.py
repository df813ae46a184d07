"""What is to be done, why, and for how much; decided without touching anything."""
