"""Queues of experts: made, repaired, and the images and pages that people put at their head."""
