"""Files and tables: ours, written whole or not at all, and those that people bring."""
