"""Search of the pool: what is wanted, how the workers are asked for it, and what they found, kept for a few minutes.

The web process never loads an encoder: a search is a job, and its result stays with the job's row in the records.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, String, cast, delete, func, or_, select
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.assets.pool_size import pool_size
from attune.labeler.assets.title_names import NAME_COLUMNS
from attune.labeler.jobs import failures, jobs
from attune.labeler.records.contained import is_contained
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EncoderError, UnknownAsset
from attune.models.files.atomic import digest_bytes
from attune.models.files.cell_ids import normalise

KIND = "explore"
TOP = 600  # images that one search keeps: a person looks at some pages of it
KEPT = timedelta(minutes=15)
LONGEST_TEXT = 300
POLL_SECONDS = 0.03
TOKEN_BYTES = 16
_PATIENT = threading.BoundedSemaphore(3)  # requests that hold a thread of the console while they wait


@dataclass(frozen=True)
class Query:
    """One search: by ``text``, by an asset ``like`` it, or by an uploaded ``image`` (its token), within a filter.

    ``title`` must be contained in the title or asset id, or in the text of one of ``name_columns`` (of the asset table,
    for those who may read it); ``column`` of the assets' own columns must equal ``value``.
    Raises DataError where two of the three are given, or a text is too long.
    """

    text: str = ""
    like: str = ""
    image: str = ""
    title: str = ""
    column: str = ""
    value: str = ""
    name_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "like", normalise(self.like))
        if sum(map(bool, (self.text, self.like, self.image))) > 1:
            raise DataError("A search needs a text, an asset or an image file. Give exactly one of them.")
        if len(self.text) > LONGEST_TEXT:
            raise DataError(
                f"text: {len(self.text)} characters are too many. At most {LONGEST_TEXT} are allowed, and "
                "encoders read only about 70 words."
            )

    @property
    def ranks(self) -> bool:
        """Whether there is anything to rank by; without it the pool is only filtered."""
        return bool(self.text or self.like or self.image)

    @property
    def filters(self) -> bool:
        """Whether only a part of the pool may be found."""
        return bool(self.title or (self.column and self.value))


@dataclass(frozen=True)
class SearchResult:
    """How far a search is: ``state`` queued, running, done, failed or lost; then (asset_id, cosine), nearest first."""

    job: str
    state: str
    hits: list[tuple[str, float]]
    error: str = ""

    @property
    def waits(self) -> bool:
        """Whether it makes sense to look again."""
        return self.state in {"queued", "running"}


def allowed_by(query: Query) -> ColumnElement[bool]:
    """The condition on ``Asset`` of the search's filter; removed assets are never found."""
    condition: ColumnElement[bool] = Asset.removed_at.is_(None)
    for alternatives in parts(query):
        condition &= or_(*alternatives)
    return condition


def parts(query: Query) -> list[tuple[ColumnElement[bool], ...]]:
    """The filter's conditions on ``Asset``: of each tuple one must hold. Asked for one by one, those of names are
    answered from their indexes, without a look at the rows."""
    found: list[tuple[ColumnElement[bool], ...]] = []
    if query.title:
        held = (cast(Asset.columns[name].as_string(), String) for name in query.name_columns)
        names = (Asset.title_id, Asset.asset_id, *held)
        found.append(tuple(is_contained(query.title, name) for name in names))
    if query.column and query.value:
        found.append((cast(Asset.columns[query.column].as_string(), String) == query.value,))
    return found


def filtered_ids(settings: Settings, query: Query, top: int) -> list[str]:
    """The first ``top`` asset ids that the filter lets through, by id: what there is without anything to rank by."""
    with reading(settings) as session:
        found = select(Asset.asset_id).where(allowed_by(query)).order_by(Asset.asset_id)
        return list(session.scalars(found.limit(top)))


def columns_of(session: Session, looked_at: int = 200) -> list[str]:
    """The names of the assets' own columns, as the newest assets have them."""
    newest = select(Asset.columns).where(Asset.removed_at.is_(None)).order_by(Asset.id.desc()).limit(looked_at)
    return sorted({str(name) for held in session.scalars(newest) for name in held})


def name_columns(session: Session, title: str) -> tuple[str, ...]:
    """Those of the assets' own columns that hold names of titles; none where nobody looks for a ``title``."""
    return tuple(name for name in columns_of(session) if name.casefold() in NAME_COLUMNS) if title else ()


def why_unread(session: Session) -> str:
    """Why neither a text nor a new image can be searched by, as a sentence; empty where both can."""
    encoder = active_encoder(session)
    fingerprint = Fingerprint.from_dict(encoder.fingerprint) if encoder else None
    if fingerprint is None or not fingerprint.is_external:
        return ""
    return (
        "This pool uses supplied vectors, without an encoder, so you cannot search by text or by file. Search "
        "by an image of the pool: press Similar below it, or run `attune search --like ASSET_ID`."
    )


def start(settings: Settings, query: Query) -> str:
    """The id of the job for this search: one asked for lately, or a new one.

    Raises UnknownAsset for an asset that is not there, ServiceDown where Redis does not answer.
    """
    check(settings, query)
    arguments = _arguments(settings, query)
    with reading(settings) as session:
        recent = select(Job.id, Job.arguments, Job.state).where(Job.kind == KIND, Job.created_at > now() - KEPT)
        for job_id, job_arguments, state in session.execute(recent.order_by(Job.created_at.desc())):
            if job_arguments == arguments and state in {"queued", "running", "done"}:
                return str(job_id)
    with writing(settings) as session:
        session.execute(delete(Job).where(Job.kind == KIND, Job.created_at < now() - KEPT))
    return jobs.enqueue(settings, KIND, **arguments)


def check(settings: Settings, query: Query) -> None:
    """Raise UnknownAsset where the example is no asset of the pool, EncoderError where nothing here reads the text."""
    with reading(settings) as session:
        if (query.text or query.image) and (why := why_unread(session)):
            raise EncoderError(why)
        if query.like and session.scalar(select(Asset.id).where(Asset.asset_id == query.like)) is None:
            raise UnknownAsset(f"The asset {query.like!r} does not exist. To list all assets: `attune assets list`")


def _arguments(settings: Settings, query: Query) -> dict[str, Any]:
    """What decides the result: the search, the encoder, how many assets there are, and whether all have a vector."""
    with reading(settings) as session:
        encoder = active_encoder(session)
        at_work = (Job.kind == "embed") & Job.state.in_(("queued", "running"))
        embedding = session.scalar(select(func.count()).select_from(Job).where(at_work))
        assets = pool_size(session)
    filters = {name: value for name, value in asdict(query).items() if value}
    filters |= {"name_columns": list(query.name_columns)} if query.name_columns else {}
    told = {"encoder": encoder.digest[:16] if encoder else "", "assets": assets}
    return {**filters, **told, **({"embedding": embedding} if embedding else {})}


def wait_for_result(settings: Settings, job_id: str, patience_seconds: float = 0.0) -> SearchResult | None:
    """How far the search is, after waiting for at most ``patience_seconds``; None where it is kept no longer.

    Few wait at once, and who comes on top is told at once that it continues: the console has eight threads, and Label
    Studio's webhook and every other page need one.
    """
    patient = patience_seconds > 0 and _PATIENT.acquire(blocking=False)
    try:
        return _look(settings, job_id, patience_seconds if patient else 0.0)
    finally:
        if patient:
            _PATIENT.release()


def _look(settings: Settings, job_id: str, patience_seconds: float) -> SearchResult | None:
    until = time.monotonic() + patience_seconds
    while True:
        with reading(settings) as session:
            job = session.get(Job, job_id)
        if job is None or job.kind != KIND:
            return None
        result = SearchResult(job.id, job.state, hits_of(job.result), failures.shown(job.id, job.error))
        if not result.waits or time.monotonic() >= until:
            return result
        time.sleep(POLL_SECONDS)


def hits_of(result: Mapping[str, Any]) -> list[tuple[str, float]]:
    """(asset_id, cosine) of a search's result, nearest first."""
    return [(str(asset), float(cosine)) for asset, cosine in result.get("hits", [])]


# -- an uploaded image: handed to the worker in a file that it deletes before it looks at it -------------------------


def store_upload(settings: Settings, content: bytes, who: str) -> str:
    """Leave an image of ``who`` for the worker and return its token; left-overs of searches that never ran go.

    So does an older image of the same person that waits still: someone who hands over many keeps no one waiting.
    """
    folder = _uploads(settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    oldest = time.time() - KEPT.total_seconds()
    mine = digest_bytes(who.encode())[:TOKEN_BYTES]
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # a worker has just taken it
            if path.name.startswith(mine) or path.stat().st_mtime < oldest:
                path.unlink()
    token = mine + secrets.token_hex(TOKEN_BYTES // 2)
    path = folder / token
    path.touch(mode=0o600)
    path.write_bytes(content)
    return token


def take_upload(settings: Settings, token: str) -> bytes:
    """The image of ``token``, once: it is deleted here. Raises DataError where it was taken or never there."""
    path = _uploads(settings) / token
    try:
        if len(token) != 2 * TOKEN_BYTES or not token.isalnum():
            raise FileNotFoundError(token)
        content = path.read_bytes()
        path.unlink()
    except FileNotFoundError as error:
        raise DataError(
            "The uploaded image does not exist any more. Attune keeps it for one search, and only until you upload "
            "another image. Upload it again."
        ) from error
    return content


def _uploads(settings: Settings) -> Path:
    return settings.workspace / "cache" / "uploads"
