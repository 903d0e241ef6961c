"""What a group of images has in common: traits that are more frequent in it, and phrases that suit it."""
