"""Images into the pool and out of it: found, checked, recorded, given their vectors."""
