"""Scoping a question: groups of images at its edge, what people decide about them, and the definition that follows."""
