"""What makes two posters similar: a space learned from labels, its measures, its files."""
