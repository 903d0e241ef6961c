"""What several experts are worth: `python -m benchmarks.agreement`."""
