"""Measured features: what a program reads off an image (light, texture, composition, faces), without answers."""
