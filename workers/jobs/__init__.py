"""The jobs, one module each: what `attune.labeler.jobs.jobs.KINDS` names."""
