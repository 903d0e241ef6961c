"""Encoders: which there are, where their weights are, and images and texts turned into vectors."""
