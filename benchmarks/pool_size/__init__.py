"""What a large pool costs: every page, every round and every job, at several sizes of the pool."""
