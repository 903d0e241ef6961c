"""How much average precision each learner buys with so many labels, ours and its peers, run for real."""
