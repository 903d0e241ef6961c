"""``card.md``: what a version is, how good, made of what; written from its manifest and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from attune.models.catalog.manifest import EXPERT_WEIGHTS, LEANS_ON, Manifest
from attune.models.clock import iso
from attune.models.evaluation.metrics import is_early
from attune.models.labels.class_coverage import LEARNED, missing_sentences

FILE_NAME = "card.md"
# What people call the counts of ``labels``, in the order of the card; what is not here keeps its key.
_NAMES = {
    "answers": "answers",
    "assets": "images answered",
    "classes": "answers by class",
    "purposes": "answers by purpose",
    "skipped": "skipped",
    "experts": "experts",
    EXPERT_WEIGHTS: "what an answer of each expert counted",
    "agreement": "the experts' agreement (Krippendorff's alpha)",
    "trained_on": "images it learned from",
    LEARNED: "images it learned from by class",
    "audited": "images audited, never learned from",
    "audits_pending": "audits drawn and not answered yet",
    LEANS_ON: "leans on the published probes",
}
# The metrics' names in the words of Hugging Face's leaderboards, where they have one.
_TYPES = {"average_precision": "average_precision", "precision": "precision", "recall": "recall"}


def card_bytes(manifest: Manifest) -> bytes:
    """A model card in Markdown with Hugging Face's front matter and model-index, as UTF-8."""
    front = yaml.safe_dump(front_matter(manifest), sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{front}---\n\n{chr(10).join(_body(manifest))}\n".encode()


def front_matter(manifest: Manifest) -> dict[str, Any]:
    """The card's metadata; ``model-index`` holds the measured figures that have a value and no known bias."""
    results = [_result(name, metric) for name, metric in manifest.metrics.items() if _measured(metric)]
    dataset = {
        "type": "attune-audit",
        "name": f"Audit answers on {manifest.attribute}",
        "revision": manifest.data_digest,
    }
    front: dict[str, Any] = {
        "library_name": "attune",
        "pipeline_tag": "image-classification",
        "tags": ["attune", "linear-probe", "safetensors", "onnx", *(["draft"] if manifest.draft else [])],
    }
    if results:
        task = {"type": "image-classification", "name": manifest.question}
        name = f"{manifest.attribute}@{manifest.version}"
        front["model-index"] = [
            {"name": name, "results": [{"task": task, "dataset": dataset, "metrics": results}]},
        ]
    return front


def _measured(metric: Mapping[str, Any]) -> bool:
    return metric.get("value") is not None and not metric.get("biased") and not is_early(metric)


def _result(name: str, metric: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {key: metric[key] for key in ("lo", "hi", "n", "level", "method") if metric.get(key) is not None}
    kind = name.partition(":")[0]
    return {"type": _TYPES.get(kind, kind), "value": float(metric["value"]), "name": name, "args": arguments}


def _body(manifest: Manifest) -> Iterator[str]:
    yield f"# {manifest.attribute}, version {manifest.version}\n"
    yield f"> {manifest.question}\n"
    if manifest.draft:
        yield from _draft(manifest)
    yield from _definition(manifest)
    yield "## How good it is\n"
    yield from _figures(manifest)
    yield "## What it was made of\n"
    yield from _facts(manifest)
    yield "## Limits\n"
    yield from (f"- {limit}" for limit in _limits(manifest))
    yield "\n## How to use it\n"
    yield f"```\nattune pull {manifest.attribute}@{manifest.version} --to {manifest.attribute}\n```\n"
    yield (
        "`probe.safetensors` holds a linear head over unit-length embeddings of the encoder above: read it with numpy "
        "and safetensors, or run `probe.onnx`. Vectors of another encoder give numbers without meaning."
    )


def _draft(manifest: Manifest) -> Iterator[str]:
    """Said first, and only of drafts: so that the cards of all other versions keep their bytes."""
    reasons = " ".join(missing_sentences(manifest.classes, manifest.labels))
    yield f"**This is a draft.** {reasons} It was published on purpose all the same.\n"


def _definition(manifest: Manifest) -> Iterator[str]:
    if manifest.definition:
        yield f"{manifest.definition}\n"
    cells = [
        (name, f"{manifest.thresholds[name]:.3f}" if name in manifest.thresholds else "–") for name in manifest.classes
    ]
    yield from _table(("class", "threshold"), cells)


def _figures(manifest: Manifest) -> Iterator[str]:
    rows = [(name, *_cells(metric)) for name, metric in sorted(manifest.metrics.items())]
    if not rows:
        yield "Nothing was measured: no audit answers were there when this version was made.\n"
        return
    yield from _table(("figure", "value", "95 % interval", "n", "how"), rows)


def _cells(metric: Mapping[str, Any]) -> tuple[str, str, str, str]:
    value, lo, hi = (metric.get(key) for key in ("value", "lo", "hi"))
    how = str(metric.get("method", "")) + (" (biased: an early sign, no measure)" if metric.get("biased") else "")
    if value is None:
        return "–", "–", str(metric.get("n", "")), str(metric.get("reason") or how)
    interval = "–" if lo is None or hi is None else f"{lo:.3f} to {hi:.3f}"
    if is_early(metric):
        return "early", f"{interval} (at 99 %)", str(metric.get("n", "")), how
    return f"{value:.3f}", interval, str(metric.get("n", "")), how


def _facts(manifest: Manifest) -> Iterator[str]:
    encoder = {key: value for key, value in manifest.encoder.items() if not isinstance(value, Mapping | list)}
    order = {key: place for place, key in enumerate(_NAMES)}
    counts = sorted(manifest.labels.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))
    rows = [(_NAMES.get(key, f"labels: {key}"), _text(value)) for key, value in counts]
    rows += [(f"encoder: {key}", _text(value)) for key, value in sorted(encoder.items())]
    rows += [
        ("revision of the definition", str(manifest.revision)),
        ("data digest", manifest.data_digest),
        ("made at", iso(manifest.created_at)),
        ("made by", f"Attune {manifest.code_version}"),
    ]
    yield from _table(("fact", "value"), rows)


def _limits(manifest: Manifest) -> Iterator[str]:
    headline = manifest.metrics.get("average_precision", {})
    lo, hi, n = headline.get("lo"), headline.get("hi"), headline.get("n", 0)
    if lo is None or hi is None:
        yield "No audit has measured its quality: treat its order as a suggestion."
    elif hi - lo > 0.2:
        yield f"Its average precision is known within {hi - lo:.2f} only ({n} audit answers)."
    if manifest.metrics.get("calibration_error", {}).get("value") is None:
        yield "Its probabilities were not checked against answers: rely on their order, not on their values."
    yield "It was trained and measured on one pool of images; elsewhere its quality may be lower."
    yield "Its labels are the opinions of the experts counted above on a subjective question."


def _text(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(part) for part in value)
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + " --- |" * len(columns)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""
