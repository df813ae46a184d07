"""Files and locks: durable writes, the store, the index."""
