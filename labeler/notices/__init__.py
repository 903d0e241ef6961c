"""Notices: what happened, whom it concerns, and how it reaches them."""
