"""A learning round, step by step: snapshot, probe, figures, advice, questions, order of the queues."""
