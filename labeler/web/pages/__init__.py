"""The pages, one module each: read the request, ask a view, render."""
