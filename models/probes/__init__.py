"""Probes: a linear head on embeddings, its priors, calibration and thresholds, and the learner's facade."""
