"""Measured performance: how often images were shown and taken, imported, kept as Parquet, and checked."""
