"""Tests of measured performance."""
