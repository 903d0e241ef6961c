"""Attune turns an expert's eye into a classifier."""
