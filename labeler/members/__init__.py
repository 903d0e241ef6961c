"""Members' viewing and responses: hashed at the door, kept no longer than asked, and told as groups only."""
