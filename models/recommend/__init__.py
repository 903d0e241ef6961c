"""Titles for a viewer, from the titles that they watched: by the posters, and by the plain ways that must be beaten."""
