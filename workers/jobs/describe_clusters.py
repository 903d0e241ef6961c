"""The job `describe`: what the images of each cluster of a clustering have in common.

Nothing is kept before all of it is known, so a job that is killed leaves the descriptions of before, and one that runs
twice leaves the same. One false discovery rate covers all clusters, attributes, columns and their values. A column that
the space was learned from is not tested: its clusters differ in it because they were made to.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_fingerprint, prompt_vectors
from attune.labeler.assets.active_pool import PoolView, open_pool
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Attribute, Clustering
from attune.labeler.records.session import reading
from attune.labeler.sample import is_sample_encoder, known_words
from attune.labeler.settings import Settings
from attune.labeler.spaces import cluster_performance, clusterings, descriptions, members, taught, traits
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.descriptions import Basis
from attune.labeler.spaces.spaces import FINAL
from attune.labeler.spaces.traits import COLUMN, PHRASE, PROBE, Champion, Held, Source
from attune.models.descriptions import enrichment, phrases
from attune.models.descriptions.phrases import Group
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EncoderError, PoolError, UnknownAttribute

MOST = 8  # things said of a cluster, of each kind
LEAST_LIFT, LEAST_MORE = 1.5, 0.05  # of what a probe says: less is not worth a line
NAMED_BY = 2_000  # images of a cluster, the most typical
MEAN_OF = 5_000  # images that the pool's mean comes from
ROWS = 8_192
STEPS = 5  # beside attributes: assets, tests, performance, words, records

Row = dict[str, Any]


def run(settings: Settings, report: Report = quiet, clustering: int = 0) -> dict[str, Any]:
    """Describe the clusters of ``clustering``, or of the newest of the whole pool for 0.

    Performance that was imported is compared, too. Returns ``{"clustering", "descriptions", "tests", "no_phrases",
    "canvases"}``. Raises DataError where there is no such clustering, or its file is gone.
    """
    with reading(settings) as session:
        saved = clusterings.find(session, clustering or _newest(session))
        answers, pointed = descriptions.today(session)
        asked = list(session.scalars(select(Attribute).where(Attribute.retired_at.is_(None)).order_by(Attribute.name)))
        champions = traits.champions(session)
        learned_from = taught.columns(session, saved.row)
    step = _steps(report, STEPS + len(asked) + len(champions))
    held = traits.read_assets(settings, members.load(settings, saved.row.file))
    step()
    columns = list(traits.of_columns(held))
    free = [one for one in columns if one.name not in learned_from]
    rows, tests = _tested(saved, held, [*_of_experts(settings, asked, held, step), *free])
    rows += _by_taught(saved, held, [one for one in columns if one.name in learned_from])
    step()
    performed = cluster_performance.make(settings, saved, held)
    step()
    view = _pool(settings)
    rows += _by_probes(saved, held, view, champions, step)
    words, why = _named(settings, saved, held, view)
    step()
    basis = Basis(answers, pointed, tests, len(held.keys), why)
    descriptions.replace(settings, saved.row.id, rows + words, basis)
    step()
    canvases = len({one.canvas for one in performed.rows}) if performed else 0
    return {
        "clustering": saved.row.id, "descriptions": len(rows) + len(words), "tests": tests, "no_phrases": why,
        "canvases": canvases,
    }  # fmt: skip


def _newest(session: Any) -> int:
    whole = select(Clustering.id).where(Clustering.scope == "").order_by(Clustering.id.desc()).limit(1)
    return session.scalar(whole) or 0


def _steps(report: Report, total: int) -> Callable[[], None]:
    count = itertools.count(1)
    report(0, total)
    return lambda: report(next(count), total)


def _of_experts(settings: Settings, asked: Sequence[Attribute], held: Held, step: Callable[[], None]) -> list[Source]:
    found: list[Source] = []
    for attribute in asked:
        with suppress(UnknownAttribute):  # retired since the job began
            found += traits.of_experts(settings, attribute, held)
        step()
    return found


def _tested(saved: Saved, held: Held, sources: Sequence[Source]) -> tuple[list[Row], int]:
    """What differs, the surest first, at most `MOST` of a kind in each cluster; and how many tests were made.

    What is rarer comes after what is more frequent, and only of an attribute or column of which nothing is more
    frequent there: where one of two values is more frequent, it says nothing that the other is rarer.
    """
    named = (replace(one.trait, name=str(place)) for place, one in enumerate(sources))
    found = enrichment.describe(held.places, held.titles, named)
    rows: list[Row] = []
    for cluster in saved.clusters:
        said: dict[str, int] = defaultdict(int)
        more = enrichment.most_telling(found, cluster.place)
        known = {(sources[int(one.trait)].attribute, sources[int(one.trait)].name) for one in more}
        for one in [*more, *enrichment.most_missing(found, cluster.place)]:
            source = sources[int(one.trait)]
            told = one.share > one.rest or (source.attribute, source.name) not in known
            if told and said[source.kind] < MOST:
                rows.append(_row(cluster.number, said[source.kind], source.kind, source.name, source.value, one)
                            | {"attribute_id": source.attribute})  # fmt: skip
                said[source.kind] += 1
    return rows, sum(one.p is not None for one in found)


def _row(number: int, place: int, kind: str, name: str, value: str, one: enrichment.Description) -> Row:
    tested = {"p": one.p, "q": one.q, "lo": one.lo, "hi": one.hi} if one.p is not None else {}
    figures = {"share": one.share, "rest": one.rest, "n": one.n, "titles": one.titles}
    return {"number": number, "place": place, "kind": kind, "name": name, "value": value} | figures | tested


def _pool(settings: Settings) -> PoolView | None:
    with reading(settings) as session:
        try:
            return open_pool(settings, session)
        except PoolError:
            return None


def _by_probes(
    saved: Saved, held: Held, view: PoolView | None, champions: Sequence[Champion], step: Callable[[], None]
) -> list[Row]:
    """What the champions of the active encoder expect more often in a cluster than elsewhere; never a test."""
    found: list[_Untested] = []
    for champion in champions:
        if view is not None and champion.encoder_digest == view.fingerprint.digest:
            at = view.positions(held.ids)
            there = at >= 0
            scores = _scores(view, champion, at[there])
            for column, value in enumerate(champion.attribute.classes):
                told = enrichment.lift_only(held.places[there], value, scores[:, column]) if there.any() else []
                found += [_Untested(champion.attribute.name, value, one, champion.attribute.id) for one in told]
        step()
    return _untested(saved, PROBE, found)


def _by_taught(saved: Saved, held: Held, sources: Sequence[Source]) -> list[Row]:
    """What is more frequent in a cluster, by a column that its space was learned from; never a test."""
    found: list[_Untested] = []
    for source in sources:
        known = source.trait.weights > 0
        told = enrichment.lift_only(held.places[known], source.value, source.trait.holds[known])
        found += [_Untested(source.name, source.value, one) for one in told]
    return _untested(saved, COLUMN, found)


@dataclass(frozen=True)
class _Untested:
    """A difference that was built in: of the attribute or column ``name``."""

    name: str
    value: str
    told: enrichment.Description
    attribute: int | None = None


def _untested(saved: Saved, kind: str, found: Sequence[_Untested]) -> list[Row]:
    """Of each cluster what is clearly more frequent there, the largest difference first, after all that was tested."""
    rows: list[Row] = []
    for cluster in saved.clusters:
        mine = [one for one in found if one.told.group == cluster.place and _is_more(one.told)]
        mine.sort(key=lambda one: (-(one.told.share - one.told.rest), one.name, one.value))
        rows += [
            _row(cluster.number, MOST + place, kind, one.name, one.value, one.told) | {"attribute_id": one.attribute}
            for place, one in enumerate(mine[:MOST])
        ]
    return rows


def _scores(view: PoolView, champion: Champion, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    parts = [
        champion.probe.probabilities(view.pool.rows(rows[start : start + ROWS])) for start in range(0, len(rows), ROWS)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(champion.attribute.classes)))


def _is_more(one: enrichment.Description) -> bool:
    return one.lift >= LEAST_LIFT and one.share - one.rest >= LEAST_MORE


def _has_text(session: Session, row: Clustering, active: Fingerprint) -> bool:
    """Whether a clustering is of today's encoder, by its own vectors or by a taste that was learned from them.

    The images of a cluster of taste are named by their own vectors, not by those of the space, which has no text.
    """
    if row.space == FINAL:
        return row.space_digest == active.digest
    base = taught.base_of(session, row)
    return base is not None and base.digest == active.digest


def _named(settings: Settings, saved: Saved, held: Held, view: PoolView | None) -> tuple[list[Row], str]:
    """The phrases that suit each cluster, and why there are none where the space has no text."""
    with reading(settings) as session:
        active = active_fingerprint(session)
        text = active is not None and _has_text(session, saved.row, active)
    if not text or active is None or view is None:
        return [], "This space has no text, so its clusters have no words."
    vocabulary: Sequence[str] = phrases.vocabulary()
    if is_sample_encoder(active):
        vocabulary = known_words.known(vocabulary)
    try:
        vectors = prompt_vectors(settings, vocabulary)
    except EncoderError:
        return [], "The encoder is not on this machine, so there are no words."
    if vectors is None:
        return [], "The vectors came in a file, without an encoder, so there are no words."
    at = view.positions(held.ids)
    drawn = np.sort(np.random.default_rng(0).permutation(np.flatnonzero(at >= 0))[:MEAN_OF])
    mine = [np.flatnonzero((held.places == one.place) & (at >= 0))[:NAMED_BY] for one in saved.clusters]
    groups = [Group(view.pool.rows(at[rows]), [held.titles[row] for row in rows]) for rows in mine]
    place_of = {one.place: number for number, one in enumerate(saved.clusters)}
    of_group = np.array([place_of.get(int(place), -1) for place in held.places[drawn]], dtype=np.intp)
    said = phrases.name_all(groups, view.pool.rows(at[drawn]), of_group, vocabulary, vectors)
    return [
        {"number": one.number, "place": place, "kind": PHRASE, "name": "", "value": value, "n": len(rows)}
        for one, rows, words in zip(saved.clusters, mine, said, strict=True)
        for place, value in enumerate(words)
    ], ""
