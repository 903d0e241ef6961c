"""Engines that bulk work may run on: our own workers, or Ray Data on one machine or many."""
