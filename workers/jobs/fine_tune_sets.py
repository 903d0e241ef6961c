"""What a fine-tuning learns from, stops by and is measured on: labelled images, apart by title, and their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from attune.labeler.assets.active_encoder import active_fingerprint, loaded_encoder
from attune.labeler.assets.active_pool import open_pool
from attune.labeler.jobs.jobs import Report
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import EncoderError, NotEnoughLabels
from attune.models.evaluation.splits import held_out
from attune.models.similarity.network_training import Pictures
from attune.workers.jobs.learn_taste import HELD, Rows, rows_of
from attune.workers.jobs.prepared_images import prepare

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder

WATCHED = 0.2  # of the titles that are left to learn from: they say when to stop
MOST_IMAGES = 20_000  # at 224 pixels they take 6 GB of disk while the job runs
FEWEST_TAUGHT, FEWEST_OTHERS = 100, 20
INSTEAD = "To learn from the encoder's vectors instead: `attune spaces learn taste --labels genre`"
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sets:
    """Rows with a label, beside their pixels, and which of them are ``taught``, ``watched`` and ``tested``; apart by
    title."""

    rows: Rows
    pixels: npt.NDArray[np.float16]
    taught: Bools
    watched: Bools

    @property
    def learned_from(self) -> Rows:
        """All rows that something was learned or chosen from."""
        return self.rows.where(self.taught | self.watched)

    @property
    def tested(self) -> Bools:
        """Rows that nothing is learned or chosen from."""
        return ~(self.taught | self.watched)

    def pictures(self, chosen: Bools) -> Pictures:
        """The images of some rows."""
        return Pictures(self.pixels, np.flatnonzero(chosen), self.rows.labels[chosen])


def labelled(settings: Settings, column: str, seed: int) -> tuple[Rows, OpenClipEncoder]:
    """Rows of the pool with a label, at most ``MOST_IMAGES``, and the encoder. Raises EmptyPool,
    DataError for no such column, NotEnoughLabels, EncoderError without images, and what loading an encoder raises."""
    with reading(settings) as session:
        active = active_fingerprint(session)
        view = open_pool(settings, session)
        cells = {key: held.get(column) for key, held in session.execute(select(Asset.id, Asset.columns))}
    if active is not None and active.is_external:
        raise EncoderError(
            "The pool's vectors came in a file, so there is no network here to train. Fine-tuning needs the images and "
            f"their encoder. {INSTEAD}"
        )
    rows = rows_of(view, cells, column)
    rows = rows.where(rows.labels.sum(axis=1) > 0)
    if len(rows.ids) > MOST_IMAGES:
        drawn = np.zeros(len(rows.ids), dtype=np.bool_)
        drawn[np.random.default_rng([seed, 69]).choice(len(rows.ids), MOST_IMAGES, replace=False)] = True
        rows = rows.where(drawn)
    _check_enough(_parts(rows, seed))
    return rows, loaded_encoder(settings)


def _parts(rows: Rows, seed: int) -> tuple[Bools, Bools]:
    """Which rows are taught and which are watched; apart by title, and the others are tested."""
    tested = held_out(rows.titles, seed, HELD, "taste")
    watched = ~tested & held_out(rows.titles, seed, WATCHED, "fine-tuning")
    return ~tested & ~watched, watched


def _check_enough(parts: tuple[Bools, Bools], first: str = "") -> None:
    taught, watched = (int(part.sum()) for part in parts)
    tested = len(parts[0]) - taught - watched
    if taught < FEWEST_TAUGHT or min(watched, tested) < FEWEST_OTHERS:
        raise NotEnoughLabels(
            f"{first}Of the images with a value in the column there are {taught} to learn from, {watched} to say when "
            f"to stop and {tested} to measure on, each of titles of their own. Fine-tuning needs {FEWEST_TAUGHT}, "
            f"{FEWEST_OTHERS} and {FEWEST_OTHERS}: some {2 * FEWEST_TAUGHT} images. Add more images, or do with less. "
            f"{INSTEAD}"
        )


def read(
    settings: Settings, encoder: OpenClipEncoder, rows: Rows, seed: int, report: Report
) -> tuple[Sets, list[dict[str, str]]]:
    """The rows whose images can be read, and those that were left out. Raises NotEnoughLabels."""
    with reading(settings) as session:
        there = select(Asset).where(Asset.removed_at.is_(None)).order_by(Asset.id)
        wanted = set(rows.ids)
        assets = [asset for asset in session.scalars(there) if asset.asset_id in wanted]
    found = prepare(settings, encoder, assets, report)
    place = {id_: number for number, id_ in enumerate(rows.ids)}
    order = np.array([place[id_] for id_ in found.ids], dtype=np.intp)
    rows = rows.at(order)
    parts = _parts(rows, seed)
    first = (
        f"{len(found.left_out)} images cannot be read; the first: {found.left_out[0]['message']} "
        if found.left_out
        else ""
    )
    _check_enough(parts, first)
    return Sets(rows, found.pixels, *parts), found.left_out
