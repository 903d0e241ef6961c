"""The records: what was asked, answered, learned and promoted, in SQLite or PostgreSQL."""
