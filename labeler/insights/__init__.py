"""Which artwork works: features from elsewhere, frozen questions, runs that answer them, and what is published."""
