"""The records' side of the feature catalog: what is published, where aliases point, and who moved them when and why."""
