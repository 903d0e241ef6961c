"""Labels on their way out and in: tables, JSON and Label Studio's own format, and imports that can be repeated."""
