"""Tests of the room of briefs."""
