"""Tests of scoping groups."""
