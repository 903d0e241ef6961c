"""Look around the pool: search it by text or image, and browse its clusters."""
