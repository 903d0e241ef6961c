"""A pulled probe in Python: load its folder, give it vectors, or have it score a whole file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from attune.models.catalog.manifest import FILE_NAME, Manifest, read_manifest
from attune.models.catalog.probe_files import FILE_NAME as WEIGHTS_NAME
from attune.models.catalog.probe_files import ProbeWeights, read_probe
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import BadProbeFile, DigestMismatch
from attune.models.files.atomic import digest_bytes
from attune.models.reasons import reason

if TYPE_CHECKING:
    from attune.models.catalog.score_vectors import Scored


@dataclass(frozen=True, eq=False)
class LoadedProbe:
    """A published probe: its ``manifest`` and its ``weights``. Made by ``load_probe``."""

    manifest: Manifest
    weights: ProbeWeights

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the columns of ``probabilities``."""
        return self.manifest.classes

    @property
    def dimension(self) -> int:
        """d, the length of the vectors that the probe reads."""
        return self.weights.dimension

    @cached_property
    def encoder(self) -> Fingerprint:
        """The encoder that the probe was trained with; vectors of any other give numbers without meaning."""
        return Fingerprint.from_dict(dict(self.manifest.encoder))

    def probabilities(self, vectors: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The probability of each class, float64 (n, classes) in [0, 1]; each row sums to 1.

        ``vectors`` (n, d) numbers of unit length, made by ``encoder``. Raises DataError where they have another shape.
        """
        return self.weights.probabilities(vectors)


def load_probe(folder: Path | str) -> LoadedProbe:
    """Load the probe that ``pull`` put into ``folder``; the weights are checked against the manifest's digest.

    Raises BadProbeFile where the folder holds no probe or a damaged one, DigestMismatch where the weights are not
    those of the manifest. For example::

        probe = attune.load_probe("probe")
        probe.classes                       # ("serious", "not serious")
        probe.probabilities(vectors)[:, 0]  # of the first class, (n,)
    """
    place = Path(folder)
    manifest = read_manifest(_read(place, FILE_NAME), str(place / FILE_NAME))
    content, stated = _read(place, WEIGHTS_NAME), manifest.files.get(WEIGHTS_NAME)
    if stated is not None and digest_bytes(content) != stated.sha256:
        raise DigestMismatch(
            f"{place / WEIGHTS_NAME} has the sha256 {digest_bytes(content)[:12]}…, but the manifest states "
            f"{stated.sha256[:12]}…. Pull the probe again: `attune pull {manifest.attribute}@{manifest.version} --to "
            f"{place}`"
        )
    weights = read_probe(content, str(place / WEIGHTS_NAME))
    if weights.classes != len(manifest.classes):
        raise BadProbeFile(
            f"{place / WEIGHTS_NAME} has {weights.classes} classes, but the manifest names {len(manifest.classes)}. "
            "Pull the probe again."
        )
    return LoadedProbe(manifest, weights)


def score(
    probe: LoadedProbe,
    vectors: Path | str,
    to: Path | str,
    fingerprint: Fingerprint | None = None,
    assume_fingerprint: bool = False,
) -> Scored:
    """Write the probabilities of every vector in the file ``vectors`` to the Parquet file ``to``, whole or not at all.

    ``vectors`` is an .npz file (arrays ``ids`` (n,) and ``vectors`` (n, d)), or Parquet or Arrow (columns ``id`` and
    ``vector``); it is read in batches, so it may be larger than the memory. ``to`` gets one row for each asset and
    class (of two classes the first), in the columns of docs/reference/probe-format.md. A file of Attune's says
    which encoder made it; otherwise name the encoder with ``fingerprint``, or set ``assume_fingerprint`` if it
    was the probe's. Rows that cannot be used are left out and counted in the result. Raises EncoderMismatch,
    UnreadableItem, DataError, and UnwritableFile for ``to``. For example::

        done = attune.score(probe, "new-posters.parquet", to="scores.parquet")
        done.assets, done.left_out          # 1200, {"not finite": 1}
    """
    from attune.models.catalog.score_vectors import score_file

    return score_file(probe.manifest, probe.weights, Path(vectors), Path(to), fingerprint, assume_fingerprint)


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise BadProbeFile(
            f"{folder / name} cannot be read: {reason(error)}. A pulled probe contains {FILE_NAME} and {WEIGHTS_NAME}. "
            f"Pull one: attune.pull('NAME', to={str(folder)!r}, url='http://HOST:8700')."
        ) from error
