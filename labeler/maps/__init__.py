"""Maps of the pool as the records keep them: layouts, positions, what colours them, and files for other programs."""
