"""The jobs between: sync, embed, learn, score, publish."""
