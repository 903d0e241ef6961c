"""How well planted label errors are found, beside cleanlab."""
