"""The science of Attune: encoders, vectors, probes, strategies, evaluation, agreement, the catalog."""
