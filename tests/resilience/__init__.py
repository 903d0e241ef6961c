"""Scripts that break a running Attune on purpose; too long for the suite."""
