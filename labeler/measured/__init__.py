"""Measured features of the pool: where their values are, and what they say, beside the experts' attributes."""
