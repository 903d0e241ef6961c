"""Tests of the room of insights."""
