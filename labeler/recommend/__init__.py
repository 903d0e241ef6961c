"""Recommendations from viewing histories, which are personal data: hashed, kept no longer than asked, erasable."""
