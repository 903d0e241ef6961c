"""A brief for whoever makes a title's next artwork: what its images cover, what is missing, what worked elsewhere."""
