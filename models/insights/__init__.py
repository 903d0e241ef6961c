"""Which artwork works, within titles: effects with honest errors, false discoveries, grades. It reads no files."""
