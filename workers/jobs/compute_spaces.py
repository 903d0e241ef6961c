"""The job `layers`: vectors of every image in layers of the encoder and by colour, a batch at a time.

Each batch is on disk before the next, so a job that is killed goes on at the image where it was. Only the components of
a new layer are found first, on a sample; from then on they are fixed, in a file, as vectors must stay comparable. A
refit finds them anew, on today's pool: that is a new version of the space, with a fingerprint and vectors of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from attune.labeler.assets.active_encoder import active_fingerprint, loaded_encoder
from attune.labeler.assets.active_pool import view_of
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import spaces
from attune.models.encoders.embedding import embed_in_batches
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EmptyPool, EncoderError
from attune.models.files.atomic import digest_json, write_bytes
from attune.models.spaces import colour, layers
from attune.models.spaces.components import Components, principal_components
from attune.models.spaces.views import Views
from attune.models.vectors.pool import unit_length
from attune.models.vectors.products import FloatArray
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs.embed import pictures

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder

log = logging.getLogger("attune.spaces")
ROWS_AT_ONCE = 1_000  # of the records
SAMPLE = 2_000  # images that a layer's components are found on


def run(settings: Settings, report: Report = quiet, names: Sequence[str] = (), refit: bool = False) -> dict[str, Any]:
    """Compute the spaces ``names`` (``layer:4``, ``colour``) of all images that have no vector in them.

    Of none named, four layers of the encoder. ``refit``: with new components of the layers, as new versions of them.

    Returns ``{"spaces": [name], "computed", "left_out": [{"item", "reason", "message"}]}``; ``computed`` counts images.
    Raises EmptyPool, EncoderError for a layer that the encoder does not have or vectors that came ready-made, and what
    loading an encoder raises.
    """
    wanted = [spaces.check_computed(name) for name in names if name != spaces.FINAL]
    indices = [index for name in wanted if (index := spaces.layer_index(name)) is not None]
    only_colour = bool(names) and not indices
    with reading(settings) as session:
        active = active_fingerprint(session)
        there = select(Asset.id, Asset.asset_id).where(Asset.removed_at.is_(None)).order_by(Asset.id)
        keys = {asset_id: key for key, asset_id in session.execute(there)}
    if not keys:
        raise EmptyPool("The pool is empty. Add images first: `attune assets add PATH`")
    encoder = None if only_colour else _encoder(settings, active)
    chosen = layers.check(encoder, indices) if encoder else []
    work = _Work(settings, encoder, chosen, spaces.COLOUR in wanted, keys)
    if chosen:
        work.find_components(refit)
    work.fill(report)
    done = [f"{spaces.LAYER}{index}" for index in chosen] + [spaces.COLOUR] * work.colour
    for name in done:
        with reading(settings) as session:
            fingerprint = spaces.fingerprint_of(session, name)
            view = view_of(settings, session, fingerprint) if fingerprint else None
        if view is not None and (view.keys >= 0).any():
            spaces.measure(settings, name, view)
    return {"spaces": done, "computed": work.computed, "left_out": list(work.left_out.values())}


def _encoder(settings: Settings, active: Fingerprint | None) -> OpenClipEncoder:
    if active is not None and active.is_external:
        raise EncoderError(
            "The pool's vectors came in a file, so there is no encoder to compute layers of. The space colour "
            "needs none: `attune spaces layers colour`"
        )
    return loaded_encoder(settings)


class _Work:
    """The spaces of one job: their fingerprints, and what was done."""

    def __init__(
        self,
        settings: Settings,
        encoder: OpenClipEncoder | None,
        indices: Sequence[int],
        colour_too: bool,
        keys: Mapping[str, int],
    ) -> None:
        self.settings, self.encoder, self.indices, self.keys = settings, encoder, indices, keys
        self.colour = colour_too
        self.store = VectorStore(settings.vectors)
        self.components: dict[int, Components] = {}
        self.left_out: dict[str, dict[str, str]] = {}
        self.computed = 0

    def find_components(self, refit: bool) -> None:
        """The components of each layer, from its file or, new and for a ``refit``, from a sample of the images."""
        for index in self.indices if not refit else ():
            if (path := self._file(index)).exists():
                self.components[index] = Components.from_bytes(path.read_bytes())
        new = [index for index in self.indices if index not in self.components]
        if not new:
            return
        drawn = np.random.default_rng(0).permutation(len(self.keys))[:SAMPLE]
        views = Views.of(self.encoder, new, False)
        keys = list(self.keys.values())
        sample = pictures(
            self.settings, [one for batch in self._assets([keys[i] for i in np.sort(drawn)]) for one in batch]
        )
        rows = [batch.vectors for batch in embed_in_batches(views, sample, self.settings.embed_batch)]
        by_layer, _ = views.split(np.concatenate(rows))
        if not sum(map(len, rows)):
            raise EmptyPool(
                "None of the images can be read, so no layer can be computed. `attune assets list` names them."
            )
        for index, pooled in by_layer.items():
            self.components[index] = principal_components([pooled], layers.KEPT, standardise=True)
            write_bytes(self._file(index), self.components[index].to_bytes())

    def fill(self, report: Report) -> None:
        """Give every image its vector in each space, where it has none."""
        made = self._fingerprints()
        waiting = {id_ for one in made.values() for id_ in self.store.missing(one, list(self.keys))}
        views, done = Views.of(self.encoder, self.indices, self.colour), 0
        for some in self._assets(sorted(self.keys[id_] for id_ in waiting)):
            for batch in embed_in_batches(views, pictures(self.settings, some), self.settings.embed_batch):
                self._store(made, batch.ids, *views.split(batch.vectors))
                self.left_out |= {item["item"]: item for item in batch.left_out}
                report(done + batch.done, len(waiting))
            done += len(some)
        for item in self.left_out.values():
            log.warning("left out: %s", item["message"])

    def _assets(self, keys: Sequence[int]) -> Iterator[list[Asset]]:
        """The rows of ``keys``, some at a time: a pool's rows are too many to hold at once."""
        for start in range(0, len(keys), ROWS_AT_ONCE):
            some = Asset.id.in_(keys[start : start + ROWS_AT_ONCE])
            with reading(self.settings) as session:
                yield list(session.scalars(select(Asset).where(some, Asset.removed_at.is_(None)).order_by(Asset.id)))

    def _store(
        self,
        made: Mapping[int | None, Fingerprint],
        ids: Sequence[str],
        by_layer: Mapping[int, FloatArray],
        colours: FloatArray | None,
    ) -> None:
        if not ids:
            return
        for index, pooled in by_layer.items():
            self.store.append(made[index], ids, self._layer_vectors(index, pooled))
        if colours is not None:
            self.store.append(made[None], ids, colours)
        self.computed += len(ids)

    def _fingerprints(self) -> dict[int | None, Fingerprint]:
        """Of each layer by its index, and of colour under None; each is written down."""
        made: dict[int | None, Fingerprint] = {}
        base = self.encoder.fingerprint if self.encoder else None
        for index in self.indices if base else ():
            assert base is not None
            made[index] = layers.fingerprint(base, index, self.components[index])
            spaces.record(self.settings, f"{spaces.LAYER}{index}", made[index], base, fitted_on=len(self.keys))
        if self.colour:
            made[None] = colour.fingerprint()
            spaces.record(self.settings, spaces.COLOUR, made[None], None)
        return made

    def _layer_vectors(self, index: int, pooled: FloatArray) -> FloatArray:
        rows = unit_length(self.components[index].project(pooled))
        # An image at the very centre has no direction; a vector needs one.
        rows[~rows.any(axis=1), 0] = 1
        return rows

    def _file(self, index: int) -> Path:
        assert self.encoder is not None
        name = digest_json({"base": self.encoder.fingerprint.digest, **layers.describe(index)})
        return self.settings.workspace / "spaces" / f"{name}.safetensors"
