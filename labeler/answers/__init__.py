"""Answers: read from Label Studio, recorded once, counted, excluded, and followed when they change."""
