"""Groups of members, by what they watch or by which artwork they take; never anything about one member."""
