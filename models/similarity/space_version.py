"""A learned space's files, made from its numbers and the facts about it; the same facts give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attune.models.catalog.manifest import FileEntry
from attune.models.files.atomic import digest_bytes
from attune.models.similarity import network_words
from attune.models.similarity.space_files import FILE_NAME, LearnedSpace, space_bytes
from attune.models.similarity.space_manifest import SpaceFacts, SpaceManifest

CARD_NAME, TOWER_NAME = "card.md", "tower.safetensors"
METHODS = {
    "space": "this space", "projection": "projection", "raw": "raw vectors", "ridge": "ridge regression",
    "logistic": "logistic regression",
}  # fmt: skip
FIGURES = {"precision": "P@10", "ndcg": "nDCG@10", "map_at_r": "mAP@R", "macro_precision": "macro P@10"}


def make_version(facts: SpaceFacts, space: LearnedSpace, tower: bytes = b"") -> tuple[SpaceManifest, dict[str, bytes]]:
    """The manifest with its ``files``, and the content of each; ``tower`` is that of a network that was trained."""
    contents = {FILE_NAME: space_bytes(space), CARD_NAME: card_bytes(facts)}
    if tower:
        contents[TOWER_NAME] = tower
    entries = {name: FileEntry(digest_bytes(content), len(content)) for name, content in contents.items()}
    return SpaceManifest(facts, entries), contents


def card_bytes(facts: SpaceFacts) -> bytes:
    """``card.md``: what the space was taught and how good its lists are, written from the facts alone."""
    return ("\n".join(_lines(facts)) + "\n").encode()


def _lines(facts: SpaceFacts) -> Iterator[str]:
    yield f"# Space {facts.name}, version {facts.version}"
    yield ""
    yield f"Learned from the column {facts.column} of {facts.rows:,} images: {', '.join(facts.labels)}."
    chosen = facts.settings
    yield (
        f"Loss {chosen.get('loss')}, alpha {chosen.get('alpha')}°, blend {chosen.get('blend')}, cost of hubs "
        f"{chosen.get('hub_weight')}, seed {facts.seed}. Made {facts.created_at} by Attune {facts.code_version}."
    )
    yield f"Encoder: {dict(facts.encoder)}"
    yield ""
    if facts.network is not None:
        yield from network_words.training(facts.network)
        yield ""
    yield from table(facts.measures or {})
    if facts.network is not None:
        yield ""
        yield from network_words.against(facts.measures or {}, FIGURES)
    if facts.left_out is not None:
        yield ""
        yield f"Genres that it was not taught: P@10 {facts.left_out:+.3f} compared with the raw vectors, in the pool."
    if facts.intrinsic_dimension is not None:
        yield f"Intrinsic dimension (TwoNN): {facts.intrinsic_dimension:.1f}."


def table(measures: Mapping[str, Any]) -> Iterator[str]:
    """The figures of held-out titles as a Markdown table: a row a method, 95 % intervals."""
    if not measures:
        yield "Not measured: too few titles to hold some back."
        return
    yield f"Measured on {measures['images']:,} images of {measures['titles']:,} titles that it did not learn from."
    yield "Each number has its 95 % interval."
    yield ""
    yield f"| method | {' | '.join(FIGURES.values())} | most lists with one image |"
    yield "|---" * (len(FIGURES) + 2) + "|"
    for method, words in METHODS.items():
        if method not in measures:
            continue
        held = measures[method]
        cells = [f"{held[name]['value']:.3f} [{held[name]['lo']:.3f}, {held[name]['hi']:.3f}]" for name in FIGURES]
        yield f"| {words} | {' | '.join(cells)} | {held['in_degree']} |"
    yield ""
    yield _plain(measures.get("plain", {}))


def _plain(chosen: Mapping[str, Any]) -> str:
    """How the penalties of the regressions came about; a version of before did not say, and had the usual ones."""
    if not chosen.get("tuned"):
        return "Ridge and logistic regression have their usual penalties, which were not tuned. Tuning could help them."
    return (
        f"Ridge (penalty {chosen['ridge']:g}) and logistic regression (C {chosen['c']:g}) were tuned like this space: "
        "by cross-validation over titles, on the images that it learned from."
    )
