"""An attribute in words for people: what `attune attribute show` prints without --json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attune.labeler.cli.probe_group import figure
from attune.labeler.cli.text_tables import key_value_lines


def attribute_lines(value: Mapping[str, Any]) -> str:
    """``value`` as the command's JSON has it: the question, the answers, the figures, what to do, the queues."""
    lines = dict(_question(value))
    labels = value["labels"]
    lines["answers"] = str(value["answers"])
    if value["answers"] and labels:
        lines["answers"] += f" on {labels['assets']} images, {labels['audited']} of them for audits"
    lines["newest run"] = "none yet" if value["run"] is None else str(value["run"])
    metrics = {name: metric for name, metric in value["metrics"].items() if metric.get("value") is not None}
    lines |= {name.replace("_", " "): f"{figure(metric)} (n = {metric['n']})" for name, metric in metrics.items()}
    if not metrics and (reason := (value["average_precision"] or {}).get("reason")):
        lines["quality"] = f"not available yet: {reason}"
    if advice := value["advice"].get("advice"):
        who = value["advice"].get("differs")
        lines["advice"] = advice
        if who:
            lines["differs"] = f"{who} disagrees with the others: see the attribute's page"
    lines |= {f"queue of {email}": link for email, link in value["queues"].items()}
    return key_value_lines(lines)


def _question(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "attribute", f"{value['name']}, revision {value['revision']}"
    yield "question", value["question"]
    classes: Sequence[str] = value["classes"]
    yield "classes", ", ".join(classes) + (f" ({classes[0]} is the positive class)" if len(classes) == 2 else "")
    if value["definition"]:
        yield "definition", value["definition"]
    for key, words in (("in_scope", "counts"), ("out_of_scope", "does not count")):
        if value[key]:
            yield words, "; ".join(value[key])
    for name, phrases in value["prompts"].items():
        if phrases:
            yield f"prompts, {name}", "; ".join(phrases)
