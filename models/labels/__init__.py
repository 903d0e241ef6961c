"""From answers to labels: votes, agreement, the experts' reliability, second opinions."""
