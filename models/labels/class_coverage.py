"""Which classes a run or a version has answers of, by its ``labels``, and how to say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attune.models.text import plural

BY_CLASS = "classes"  # key of ``labels``: answers by class, audits counted, and what else was answered
LEARNED = "learned"  # key of ``labels``: images that were learned from, by the class that their answers agree on


def smallest_class_answers(classes: Sequence[str], labels: Mapping[str, Any]) -> int | None:
    """The answers of the class that has fewest; None where ``labels`` holds no counts."""
    counts = labels.get(BY_CLASS)
    return min(int(counts.get(name, 0)) for name in classes) if isinstance(counts, Mapping) else None


def unanswered_classes(classes: Sequence[str], labels: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of ``classes`` that have no answer, in their order; none where ``labels`` holds no counts."""
    return _without(BY_CLASS, classes, labels)


def classes_without_labels(classes: Sequence[str], labels: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of ``classes`` that have answers, and none to learn from: all of them are audits, or contradicted."""
    missing = unanswered_classes(classes, labels)
    return tuple(name for name in _without(LEARNED, classes, labels) if name not in missing)


def draft_classes(classes: Sequence[str], labels: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes for want of which a probe is a draft: those without an answer, or all of them where nothing was
    learned at all, as where experts contradict each other on every image.
    """
    missing = unanswered_classes(classes, labels)
    if len(missing) + len(classes_without_labels(classes, labels)) == len(classes):
        return tuple(classes)
    return missing


def _without(key: str, classes: Sequence[str], labels: Mapping[str, Any]) -> tuple[str, ...]:
    counts = labels.get(key)
    return tuple(name for name in classes if not counts.get(name)) if isinstance(counts, Mapping) else ()


def missing_sentences(classes: Sequence[str], labels: Mapping[str, Any]) -> list[str]:
    """What is missing, a sentence each; none where every class has answers to learn from."""
    parts = []
    missing, lost = unanswered_classes(classes, labels), classes_without_labels(classes, labels)
    if missing and len(missing) == len(classes):
        parts.append("No class has an answer yet. The probe knows only the prompts and examples.")
    elif missing:
        parts.append(f"No expert has answered {quoted_list(missing)} yet, so the probe is not trained on such images.")
    if lost:
        class_names = " and ".join(f"“{name}” ({plural(int(labels[BY_CLASS][name]), 'answer')})" for name in lost)
        parts.append(f"The probe was trained on no answer for {class_names}: all of them are audit answers or ties.")
    return parts


def quoted_list(names: Sequence[str]) -> str:
    """``names`` in quotes, as in “yes” or “no”."""
    return " or ".join(f"“{name}”" for name in names)
