"""Label Studio, one room for each thing asked of it: projects, people, queues, changes, and an expert's own session."""

from attune.labeler.label_studio.client import LabelStudio

__all__ = ["LabelStudio"]
