"""The job `taste`: learn a space from a column of the asset table, measure it on other titles, keep it as a version.

Nothing is kept before the end, and the same pool, column and settings give the same space: a job that is killed starts
again, and one that is done twice gives one version.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from importlib.metadata import version as package_version
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from attune.labeler.assets.active_pool import PoolView, open_pool
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned
from attune.models.catalog.manifest import check_name
from attune.models.errors import DataError
from attune.models.evaluation.splits import held_out
from attune.models.files.atomic import digest_json
from attune.models.similarity.label_values import multi_hot
from attune.models.similarity.plain_tuning import PlainSettings, tune_plain
from attune.models.similarity.space_files import LearnedSpace
from attune.models.similarity.space_manifest import SpaceFacts
from attune.models.similarity.space_measures import compare
from attune.models.similarity.taste_learning import MOST_ROWS, TasteSettings, learn_space
from attune.models.similarity.taste_tuning import Tuned, tune
from attune.models.spaces.intrinsic_dimension import SAMPLE, estimate

STEPS = 5  # rows, tuning, the space, its measures, its version
HELD = 0.3  # of the titles, which nothing is learned or chosen from

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Rows:
    """What a space is learned from and measured on: vectors (n, d), labels (n, k), titles (n,) and asset ids (n,)."""

    x: Floats
    labels: Floats
    titles: npt.NDArray[np.str_]
    ids: list[str]
    names: tuple[str, ...]

    def where(self, chosen: npt.NDArray[np.bool_]) -> Rows:
        """Those that ``chosen`` (n,) lets through."""
        return self.at(np.flatnonzero(chosen))

    def at(self, places: npt.NDArray[np.intp]) -> Rows:
        """Those at ``places`` (m,), in that order."""
        ids = [self.ids[place] for place in places.tolist()]
        return Rows(self.x[places], self.labels[places], self.titles[places], ids, self.names)


@dataclass(frozen=True)
class Choices:
    """What a person may choose: ``blend`` fixes the share of the raw vectors; without ``tuned`` all settings are the
    usual ones; ``loss`` and ``seed`` as in ``TasteSettings``."""

    blend: float | None = None
    loss: str = "angular"
    tuned: bool = True
    seed: int = 0

    def settings(self, taught: Rows) -> Tuned:
        """The settings, chosen by cross-validation among the rows that it learns from, unless told not to."""
        wanted = TasteSettings(loss=self.loss)
        found = tune(taught.x, taught.labels, taught.titles, wanted, self.seed) if self.tuned else Tuned(wanted)
        if self.blend is None:
            return found
        return replace(found, settings=replace(found.settings, blend=self.blend))

    def plain(self, taught: Rows, components: int) -> PlainSettings:
        """The penalties of the plain ways that the space is measured beside, chosen in the same way."""
        if not self.tuned:
            return PlainSettings()
        return tune_plain(taught.x, taught.labels, taught.titles, components, self.seed)


def run(
    settings: Settings,
    report: Report = quiet,
    column: str = "genre",
    space: str = learned.TASTE,
    who: str = "",
    **choices: Any,
) -> dict[str, Any]:
    """Learn ``space`` from the values of ``column``; ``{"space", "version", "images", "labels", "measures"}``.

    ``choices`` are the fields of ``Choices``. Raises EmptyPool, DataError for no such column, NotEnoughLabels,
    ExtraNotInstalled for a loss that is not there.
    """
    check_name(space)
    chosen = Choices(**choices)
    report(0, STEPS)
    with reading(settings) as session:
        view = open_pool(settings, session)
        cells = {key: held.get(column) for key, held in session.execute(select(Asset.id, Asset.columns))}
    rows = rows_of(view, cells, column)
    told = {"column": column, "encoder": view.fingerprint.digest, "rows": digest_of(rows)}
    data = digest_json(asdict(chosen) | told)
    made, facts = _learned(rows, chosen, report)
    facts = replace(
        facts, encoder=view.fingerprint.to_dict(), column=column, name=space, data_digest=data,
        code_version=package_version("attune"),
    )  # fmt: skip

    def numbered(number: int, at: str) -> SpaceFacts:
        return replace(facts, version=number, created_at=at)

    row = learned.register(settings, made, numbered, space, data, who)
    report(STEPS, STEPS)
    return {
        "space": space, "version": row.version, "images": facts.rows, "labels": list(rows.names),
        "measures": facts.measures or {},
    }  # fmt: skip


def _learned(rows: Rows, chosen: Choices, report: Report) -> tuple[LearnedSpace, SpaceFacts]:
    """The space, and what is known of it: learned on most titles, measured on the others."""
    report(1, STEPS)
    held = held_out(rows.titles, chosen.seed, HELD, "taste")
    taught, others = rows.where(~held), rows.where(held)
    tuned = chosen.settings(taught)
    report(2, STEPS)
    made = learn_space(taught.x, taught.labels, tuned.settings, chosen.seed)
    report(3, STEPS)
    pairs = (taught.x, taught.labels), (others.x, others.labels)
    plain = chosen.plain(taught, tuned.settings.components)
    measures = compare(made, *pairs, others.titles, chosen.seed, plain)
    count = int((taught.labels.sum(axis=1) > 0).sum())
    facts = SpaceFacts(
        {}, "", rows.names, count, chosen.seed, tuned.facts()["settings"], tuple(tuned.tried), measures,
        _left_out(tuned), dimension(made, rows.x),
    )  # fmt: skip
    report(4, STEPS)
    return made, facts


def rows_of(view: PoolView, cells: dict[int, Any], column: str) -> Rows:
    """The pool's rows that may be shown, at most ``MOST_ROWS`` with and without a label. Raises DataError."""
    there = np.flatnonzero(view.keys >= 0)
    given = [cells.get(int(key)) for key in view.keys[there]]
    if not any(cell not in (None, "") for cell in given):
        raise DataError(
            f"No image has a value in the column {column[:60]!r}. A space is learned from a column of the asset table, "
            "such as genre. Add a table that has it: `attune assets add PATH --manifest FILE`"
        )
    labels, names = multi_hot(given)
    if len(there) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(67).choice(len(there), MOST_ROWS, replace=False))
        there, labels = there[chosen], labels[chosen]
    ids = view.pool.asset_ids[there].tolist()
    return Rows(view.pool.rows(there), labels, view.pool.title_ids[there], ids, names)


def digest_of(rows: Rows) -> str:
    """What the rows are: their ids, titles and labels."""
    places = [np.flatnonzero(one).tolist() for one in rows.labels]
    return digest_json([list(rows.names), sorted(zip(rows.ids, rows.titles.tolist(), places, strict=True))])


def _left_out(chosen: Tuned) -> float | None:
    """What tuning found for the blend that was chosen; None where that was not tried."""
    found = [row["left_out"] for row in chosen.tried if "left_out" in row and row["blend"] == chosen.settings.blend]
    return found[0] if found else None


def dimension(space: LearnedSpace, x: Floats) -> float | None:
    """The intrinsic dimension of the space, estimated from some of the vectors ``x`` (n, d) that it reads."""
    drawn = np.random.default_rng(len(x)).choice(len(x), min(SAMPLE, len(x)), replace=False)
    return estimate(space.vectors(x[np.sort(drawn)])).two_nn
