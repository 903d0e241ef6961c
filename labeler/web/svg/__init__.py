"""Geometry of the console's drawings, so that templates can draw them as plain SVG: no script, no inline style."""
