"""Scoping: groups of similar images that a question's decision line cuts through."""
