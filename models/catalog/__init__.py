"""A version's files: manifest, model card, probe, feature values; stored, pulled and scored with."""
