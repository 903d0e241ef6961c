"""Vectors: stored, mapped, read from files, and the pool that they make."""
