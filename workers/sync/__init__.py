"""Label Studio read into the records: what changed, and whether each project is still ours."""
