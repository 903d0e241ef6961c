"""The labelling page's rooms: an expert's next questions, and the answers that come back."""
