"""A small client of Attune's HTTP API, by a bearer token: questions, probes, feature values, labels, search, pictures.

Each method says which address it asks; /api/v1/openapi.json describes them all.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import requests

from attune.models.catalog.api_server import Server
from attune.models.catalog.manifest import FILE_NAME, Manifest, check_name, parse_reference, read_manifest
from attune.models.catalog.picture_grid import PictureGrid
from attune.models.catalog.pull_probe import Pulled, pull
from attune.models.errors import CatalogError, CatalogUnreachable, DataError, UnknownAsset
from attune.models.files.outputs import user_file

PIECE = 2**20  # bytes of a file that are held at once
_SIZE = 500  # rows on a page: the most that the API gives
_PAUSE = 0.5  # seconds between two looks at a search that is not done


class Connection:
    """An Attune at ``url``, asked with ``token``. Made by ``connect``; usable from one thread at a time."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self._token = url.rstrip("/"), token
        self._server = Server(self.url, token)

    def questions(self) -> list[dict[str, Any]]:
        """Every question, also without a published version: ``attribute``, ``question``, ``definition``, ``classes``,
        ``revision``, ``answers`` and ``assets`` (images with an answer). GET /api/v1/attributes; an owner's token.
        """
        return self._every("/api/v1/attributes", "questions")

    def probes(self) -> list[dict[str, Any]]:
        """Every attribute with a published version: ``attribute``, ``question``, ``classes``, ``aliases``, ``versions``
        and the champion's ``average_precision``, as the API describes them at /api/v1/openapi.json."""
        return self._every("/api/v1/probes", "probes")

    def manifest(self, ref: str) -> Manifest:
        """What ``NAME[@ALIAS|@VERSION]`` is: classes, encoder, thresholds, figures, files. Raises UnknownProbe."""
        with self._server.get(_path("probes", ref)) as response:
            return read_manifest(response.content, f"{FILE_NAME} of {ref}")

    def pull(self, ref: str, to: Path | str) -> Pulled:
        """``attune.pull`` from here."""
        return pull(ref, to, self.url, self._token)

    def feature_values(self, ref: str, to: Path | str) -> Path:
        """Write the probabilities of the whole pool to the Parquet file ``to``, whole or not at all; its path.

        One row for each asset and class (of two classes the first). Raises UnknownProbe where there is no such version
        or it was not scored yet, UnwritableFile.
        """
        with self._server.get(_path("features", ref), stream=True) as response, user_file(Path(to)) as file:
            for piece in response.iter_content(PIECE):
                file.write(piece)
        return Path(to)

    def values(self, ref: str) -> pa.Table:
        """The probabilities of the whole pool as an Arrow table: ``asset_id``, ``class``, ``probability`` and more.

        ``.to_pandas()`` makes a data frame. GET /api/v1/features/NAME/REF. Raises as `feature_values` does.
        """
        with self._server.get(_path("features", ref)) as response:
            return _table(response.content, f"the feature values of {ref}")

    def labels(self, name: str, agreed: bool = False) -> list[dict[str, Any]]:
        """The answers about the attribute ``name``, one row each; with ``agreed`` one row for each image.

        The token must be an owner's or admin's (``attune token create NAME --role owner``). Raises UnknownAttribute,
        AccessError, and UnknownProbe for what no attribute can be called.
        """
        parameters = {"format": "json", "agreed": "true" if agreed else "false"}
        rows: list[dict[str, Any]] = self._server.json(f"/api/v1/labels/{check_name(name)}", parameters)["labels"]
        return rows

    def labels_table(self, name: str, agreed: bool = False) -> pa.Table:
        """`labels` as an Arrow table. GET /api/v1/labels/NAME?format=parquet."""
        parameters = {"format": "parquet", "agreed": "true" if agreed else "false"}
        with self._server.get(f"/api/v1/labels/{check_name(name)}", parameters) as response:
            return _table(response.content, f"the labels of {name}")

    def search(
        self, text: str = "", like: str = "", title: str = "", top: int = 50, patience: float = 60.0
    ) -> list[dict[str, Any]]:
        """The images most like a text, or like the image ``like``: rows of ``asset_id`` and ``similarity``, a cosine.

        ``title`` keeps images with this text in the title or asset_id. A worker does the search: it is waited for up to
        ``patience`` seconds. GET /api/v1/search; an owner's or expert's token. Raises JobError where the search failed,
        CatalogUnreachable where it took too long.
        """
        parameters = {"q": text, "like": like, "title": title, "top": top}
        until = time.monotonic() + patience
        while True:
            with self._server.get("/api/v1/search", parameters) as response:
                answer = response.json()
                if response.status_code == requests.codes.ok:
                    hits: list[dict[str, Any]] = answer["assets"]
                    return hits
            if time.monotonic() > until:
                raise CatalogUnreachable(
                    f"The search was not done after {patience:g} seconds: it is {answer['state']}. Check with `attune "
                    "status` that a worker runs, or pass a longer patience."
                )
            time.sleep(_PAUSE)

    def image(self, asset_id: str, size: int = 256) -> bytes:
        """The image as a JPEG that fits a square of ``size`` pixels (at most 2,048).

        GET /api/v1/image; an owner's token. Raises UnknownAsset, UnreadableItem where its file is gone.
        """
        with self._server.get("/api/v1/image", {"asset_id": asset_id, "size": size}) as response:
            return response.content

    def grid(self, images: Iterable[str] | Mapping[str, Any], size: int = 256, width: int = 160) -> PictureGrid:
        """Pictures for a notebook: ids, or ids with what to write under each (a number is written with two decimals).

        An image that cannot be read leaves an empty place. Raises AccessError where the token is no owner's.
        """
        captions = images if isinstance(images, Mapping) else dict.fromkeys(images, "")
        pictures = [self._picture(asset_id, size) for asset_id in captions]
        texts = [f"{value:.2f}" if isinstance(value, float) else str(value) for value in captions.values()]
        return PictureGrid(list(captions), pictures, texts, width)

    def _picture(self, asset_id: str, size: int) -> bytes | None:
        try:
            return self.image(asset_id, size)
        except (UnknownAsset, DataError):
            return None

    def _every(self, path: str, key: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        number = pages = 1
        while number <= pages:
            answer = self._server.json(path, {"page": number, "size": _SIZE})
            rows += answer[key]
            number, pages = number + 1, answer["pages"]
        return rows


def connect(url: str, token: str | None = None) -> Connection:
    """A client of the Attune at ``url``, such as ``http://127.0.0.1:8700``. Nothing is asked yet.

    ``token`` is a bearer token (``attune token create NAME``); it is sent to ``url`` and nowhere else. Raises
    CatalogError where ``url`` is no http address; each method raises AccessError where the token may not do that,
    CatalogUnreachable where nothing answers. For example::

        house = attune.connect("http://127.0.0.1:8700", os.environ["ATTUNE_TOKEN"])
        [one["attribute"] for one in house.probes()]
        house.feature_values("serious@champion", to="serious.parquet")
    """
    if not url.startswith(("http://", "https://")):
        raise CatalogError(
            f"{url!r} is not a URL such as http://127.0.0.1:8700. To read the folder of a catalog, use attune.pull."
        )
    return Connection(url, token)


def _table(content: bytes, what: str) -> pa.Table:
    try:
        return pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise CatalogError(f"{what[0].upper()}{what[1:]} did not arrive as Parquet. Try again.") from error


def _path(what: str, ref: str) -> str:
    reference = parse_reference(ref)
    return f"/api/v1/{what}/{reference.name}/{reference.ref}"
