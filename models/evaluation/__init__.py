"""Honest figures: the audit's design, score curves, metrics with intervals, splits by title, drift."""
