"""How similar the neighbours are that each way of seeing the pool gives, on titles that nothing was learned from."""
