"""The command line: one module a group of commands, errors as one sentence and an exit code."""
