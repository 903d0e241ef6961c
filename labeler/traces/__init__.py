"""Traces by OpenTelemetry: which request asked for which job, and where the seconds went."""
