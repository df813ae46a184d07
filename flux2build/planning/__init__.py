"""Plans: what a build will do, why, and at what price; planning changes nothing."""
