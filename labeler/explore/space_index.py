"""A space of the pool, ready to be asked: vectors mapped, titles as numbers, the cost of hubs; kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_fingerprint
from attune.labeler.assets.active_pool import PoolView, view_of
from attune.labeler.explore import index_files, preparing, projected
from attune.labeler.jobs import jobs
from attune.labeler.records import asset_stamp
from attune.labeler.records.schema import Asset, LookAlike, SpaceVersion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, towers
from attune.labeler.spaces.learned import TASTE
from attune.labeler.spaces.spaces import fingerprint_of, open_space
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EmptyPool
from attune.models.files.atomic import digest_json
from attune.models.files.cell_values import values_of
from attune.models.similarity.neighbour_lists import crowding_of
from attune.models.similarity.space_files import LearnedSpace
from attune.models.similarity.space_manifest import from_dict
from attune.models.vectors.pool import unit_length
from attune.models.vectors.products import matrix_times_heads

LARGE = 20_000  # images: a smaller pool is prepared within the page, sooner than a worker would be
KEPT = 4  # indexes: the spaces of the switch, and one more
HUB_SAMPLE = 1000
BLOCK = 8192
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
_held: OrderedDict[tuple[str, str, str], SpaceIndex] = OrderedDict()
_lock = threading.RLock()


@dataclass(frozen=True, eq=False)
class SpaceIndex:
    """The pool as a space sees it. ``learned`` (n, k) are the vectors that a learned space adds, of unit length;
    ``share`` is that of the raw vectors; ``costs`` (n,) of images that are near to everything."""

    view: PoolView
    titles: npt.NDArray[np.intp]
    learned: npt.NDArray[np.float32] | None = None
    share: float = 1.0
    costs: Floats | None = None
    columns: dict[str, tuple[Rows, Rows]] = field(default_factory=dict)
    older: bool = False  # of the pool as it was prepared last: newer images are not in it yet

    def nearness(self, row: int, raw: Floats | None = None) -> Floats:
        """How near every image is to that of ``row``, float32 (n,): a mean of cosines, less the cost of hubs.

        ``raw`` is what ``cosines`` gave for the row, if that is known.
        """
        near = np.zeros(len(self.titles), dtype=np.float32)
        if self.share:
            near += self.share * (self.cosines(row) if raw is None else raw)
        if self.learned is not None:
            near += (1 - self.share) * matrix_times_heads(self.learned, self.learned[[row]])[:, 0]
        return near if self.costs is None else near - self.costs

    def vectors(self, rows: npt.NDArray[np.intp]) -> Floats:
        """Vectors of unit length of ``rows`` (m,), float32 (m, d), whose products are ``nearness`` before costs."""
        raw = unit_length(self.view.pool.rows(rows))
        if self.learned is None:
            return raw
        return np.hstack([np.sqrt(1 - self.share) * self.learned[rows], np.sqrt(self.share) * raw]).astype(np.float32)

    @property
    def of_encoder(self) -> bool:
        """Whether ``view`` has the encoder's own vectors, which also tell near duplicates."""
        return "view" not in self.view.fingerprint.preprocessing

    def cosines(self, row: int) -> Floats:
        """The cosine of every image's own vector with that of ``row``, float32 (n,)."""
        return self.view.pool.logits(self.view.pool.rows([row]), np.zeros(1, dtype=np.float32))[:, 0]

    def values(self, settings: Settings, column: str) -> tuple[Rows, Rows]:
        """The rows and the values, as numbers, of a column: a pair for each value that an image has; read once."""
        if column not in self.columns:
            with reading(settings) as session:
                cell = Asset.columns[column].as_json()
                cells: dict[int, Any] = {key: value for key, value in session.execute(select(Asset.id, cell))}  # noqa: C416
            numbers: dict[str, int] = {}
            pairs = [
                (row, numbers.setdefault(value, len(numbers)))
                for row, key in enumerate(self.view.keys.tolist())
                for value in values_of(cells.get(key))
            ]
            rows, values = np.array(pairs, dtype=np.intp).reshape(-1, 2).T.copy()
            self.columns[column] = rows, values
        return self.columns[column]


@dataclass(frozen=True)
class Wanted:
    """A space as it is now: what its index depends on as one ``mark``, what makes the vectors that it reads, the
    ``version`` of a learned one, and about how many ``images`` the pool has."""

    space: str
    mark: str
    fingerprint: Fingerprint | None
    version: SpaceVersion | None
    images: int


def opened(settings: Settings, space: str, patient: bool = True) -> SpaceIndex:
    """The index of a space, made where the pool or the space changed since. Raises as ``similar.similar`` does.

    Not ``patient``, as pages are: of a large pool that changed, the index that was prepared last, ``older``, while a
    worker prepares the next; where there is none, NotPrepared, or PoolError with what stopped the worker.
    """
    with reading(settings) as session:
        wanted = look(settings, session, space)
    key = (str(settings.workspace), space, wanted.mark)
    with _lock:
        if key in _held:
            return _held[key]
        if patient or not _is_for_a_worker(settings, wanted):
            return _hold(key, made(settings, wanted))
        error = preparing.ask(settings)
        key = (key[0], space, f"older than {wanted.mark}")
        if key in _held:
            return _held[key]
        found = _older(settings, wanted)
        if found is None:
            raise preparing.missing(wanted.images, error)
        return _hold(key, found)


def _hold(key: tuple[str, str, str], index: SpaceIndex) -> SpaceIndex:
    """Keep an index in memory, in the place of the space's one before."""
    for old in [one for one in _held if one[:2] == key[:2]]:
        del _held[old]
    _held[key] = index
    while len(_held) > KEPT:
        _held.popitem(last=False)
    return index


def _older(settings: Settings, wanted: Wanted) -> SpaceIndex | None:
    """The index of the space that was prepared last, without what was removed since; None where there is none."""
    if wanted.fingerprint is None:
        return None
    with reading(settings) as session:
        removed = np.array(session.scalars(select(Asset.id).where(Asset.removed_at.is_not(None))).all(), dtype=np.intp)
    kept = index_files.older(settings, wanted.space, wanted.mark, wanted.fingerprint, removed)
    if kept is None:
        return None
    if wanted.version is None:
        return SpaceIndex(kept.view, kept.numbers, older=True)
    space, _ = learned.load(wanted.version)
    part = projected.rows_of(settings, kept.mark, kept.rows)
    if part is None:
        return None
    return SpaceIndex(kept.view, kept.numbers, part, float(space.blend[0]), kept.costs, older=True)


def _is_for_a_worker(settings: Settings, wanted: Wanted) -> bool:
    there = index_files.place(settings, wanted.space, wanted.mark).is_file()
    return wanted.images >= LARGE and not there and jobs.workers_alive(settings, towers.KIND)


def look(settings: Settings, session: Session, space: str) -> Wanted:
    """How the space stands. Raises UnknownProbe without a taste space in use, EncoderMismatch, DataError.

    An index is made again where the mark changes. Each part is answered from an index of the records, whatever the
    pool's size. No row of an asset is ever deleted, and another picture under an id changes its vector, and so the
    folder of vectors.
    """
    version = learned.in_use(session) if space == TASTE else None
    active = active_fingerprint(session)
    if version is not None:
        towers.check_base(version, active)
        made_by, of_space = towers.vectors_of(from_dict(version.manifest)), version.digest
    else:
        found = fingerprint_of(session, space)
        made_by, of_space = found, found.digest if found else ""  # type: ignore[assignment]
    removed = select(func.count()).where(Asset.removed_at.is_not(None))
    # Decisions about near duplicates change titles.
    retitled = select(func.max(LookAlike.id)), select(func.max(LookAlike.undone_at))
    parts = (select(func.max(Asset.id)), removed, select(func.max(Asset.removed_at)), *retitled)
    assets = session.execute(select(*[part.scalar_subquery() for part in parts])).one()
    # A table changes titles and columns of images that are there. Records of before have the first stamp alone.
    pool = [*map(str, assets), asset_stamp.read(session, asset_stamp.TITLES) or asset_stamp.read(session)]
    folders = sorted({settings.vectors / one.digest for one in (active, made_by) if one is not None})
    stored = [(one.name, one.stat().st_mtime_ns) for one in folders if one.is_dir()]
    # What it begins with says of what version or encoder an index is, whatever the pool was.
    mark = f"{digest_json([of_space])[:12]}-{digest_json([space, of_space, pool, stored])}"
    return Wanted(space, mark, made_by, version, int(assets[0] or 0))


def made(settings: Settings, wanted: Wanted, keep: bool = False) -> SpaceIndex:
    """The index of a space, read where it was kept, else made; with ``keep`` the next process reads it.

    Raises EmptyPool.
    """
    path = index_files.place(settings, wanted.space, wanted.mark)
    kept = index_files.load(settings, path, wanted.fingerprint) if wanted.fingerprint and path.is_file() else None
    view, titles, costs = kept or (_view(settings, wanted), None, None)
    titles = _numbered(view) if titles is None else titles
    found = SpaceIndex(view, titles)
    if wanted.version is not None:
        space, _ = learned.load(wanted.version)
        costs = costs if kept else _costs(space, view, titles)
        learned_part = projected.part_of(settings, space, view, wanted.mark)
        found = SpaceIndex(view, titles, learned_part, float(space.blend[0]), costs)
    if keep and kept is None:
        index_files.save(path, view, titles, found.costs)
    return found


def _view(settings: Settings, wanted: Wanted) -> PoolView:
    with reading(settings) as session:
        if wanted.version is None or wanted.fingerprint is None:
            return open_space(settings, session, wanted.space)
        view = view_of(settings, session, wanted.fingerprint)
    if not len(view.pool):
        raise EmptyPool(towers.none_yet(wanted.version))
    return view


def _numbered(view: PoolView) -> npt.NDArray[np.intp]:
    return np.unique(view.pool.title_ids, return_inverse=True)[1].reshape(-1)


def _costs(made: LearnedSpace, view: PoolView, titles: npt.NDArray[np.intp]) -> Floats | None:
    if not made.hub_weight:
        return None
    crowded = crowding_of(lambda rows: made.vectors(view.pool.rows(rows)), titles, sample=HUB_SAMPLE)
    return np.asarray(np.float32(made.hub_weight) * crowded, dtype=np.float32)
