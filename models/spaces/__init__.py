"""Spaces: versioned ways of seeing the pool, the clusters in one, and how many dimensions it really has."""
