"""Measure objects by text prompts on the pool: from the vectors that are there, without a look at any image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from attune.labeler.assets.active_encoder import active_fingerprint, prompt_vectors
from attune.labeler.assets.active_pool import PoolView, open_pool
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.measured import checks, objects, values
from attune.labeler.measured.objects import ObjectVersion
from attune.labeler.records.schema import Attribute, ImportedFeature
from attune.labeler.records.session import reading
from attune.labeler.sample import is_sample_encoder, known_words
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError, DataError, EncoderMismatch
from attune.models.measured.eye_checks import BY_BANDED
from attune.models.measured.measures import BY_NAME, OBJECT_FROM
from attune.models.measured.objects import Phrased, head_of
from attune.models.text import plural

BATCH = 20_000  # images between two writes
LEAST = 100  # images with a vector that a head is made of: it is for good, and of a few its share of yes is chance


@dataclass(frozen=True)
class ObjectDone:
    """Of the object ``name``: ``measured`` images now, ``images`` in all, ``yes`` of them said to show it; ``without``
    images have no vector yet. ``unknown`` are words that the sample's encoder never saw. ``problem``: why it was left
    as it was; empty else."""

    name: str
    version: int
    phrases: tuple[str, ...]
    measured: int
    images: int
    yes: int
    without: int
    unknown: tuple[str, ...] = ()
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"phrases": list(self.phrases), "unknown": list(self.unknown)}


def measure(settings: Settings, wanted: Sequence[Phrased], report: Report = quiet) -> list[ObjectDone]:
    """Measure the objects ``wanted`` on every image of the pool that has a vector and no value of them yet.

    All of them are looked at before the first is kept. Raises DataError for a name that is taken, for other words than
    those that people check, and for fewer than ``LEAST`` images; EmptyPool; EncoderMismatch for supplied vectors, and
    where the encoder is changed meanwhile; and what loading an encoder raises.
    """
    view = check(settings, wanted)
    versions = [_version(settings, view, one) for one in wanted]
    return [_measured(settings, view, one, _parts(report, place, len(wanted))) for place, one in enumerate(versions)]


def measure_again(settings: Settings, report: Report = quiet) -> list[ObjectDone]:
    """Measure the images that came since of every object that there is, each with its own words.

    After a change of encoder that makes the next version. One that cannot be measured says why, and stops no other.
    """
    done = []
    for one in objects.listed(settings):
        try:
            done += measure(settings, [one.phrased], report)
        except AttuneError as error:
            done.append(ObjectDone(one.name, one.number, one.phrased.phrases, 0, 0, 0, 0, problem=str(error)))
    return done


def check(settings: Settings, wanted: Sequence[Phrased]) -> PoolView:
    """The pool to measure. Raises what ``measure`` would, as far as it is known without an encoder."""
    with reading(settings) as session:
        active = active_fingerprint(session)
    for one in wanted:
        if active is not None and active.is_external:
            raise EncoderMismatch(
                f"This pool uses supplied vectors, without an encoder, so {one.said} cannot be compared with its "
                f"images. Ask people instead (`attune attribute create {one.name} --question ... --classes yes,no`), "
                f"or bring what another program found: `attune features import FILE --name {one.name}`"
            )
        _check_name(settings, one)
    with reading(settings) as session:
        view = open_pool(settings, session)
    for one in wanted:
        before = objects.find(settings, one.name)
        if len(view.pool) < LEAST and (before is None or not before.made_of(one, view.fingerprint)):
            raise DataError(
                f"The pool has {plural(len(view.pool), 'image')} with a vector. That is too few to compare {one.said} "
                f"with: what is made of them stays for all images that come later. It takes {LEAST}. Add images first: "
                "`attune assets add PATH`"
            )
    return view


def _check_name(settings: Settings, one: Phrased) -> None:
    named = f'Give it another name: --object "{one.name[:22]}-object={one.phrases[0]}"'
    if one.name in BY_NAME or one.name in BY_BANDED:
        raise DataError(f"{one.name} is what a measured feature is called already. {named}")
    with reading(settings) as session:
        attribute = session.scalar(select(Attribute.id).where(Attribute.name == one.name))
        newest = select(ImportedFeature.file).where(ImportedFeature.name == one.name)
        imported = session.scalar(newest.order_by(ImportedFeature.version.desc()).limit(1))
        row = checks.find(session, one.name)
    if attribute is not None or imported:  # the newest version of one that was removed has no file
        what = "a question" if attribute is not None else "an imported feature"
        raise DataError(f"{one.name} is what {what} is called already. {named}")
    before = objects.find(settings, one.name)
    if row is not None and before is not None and set(before.phrased.phrases) != set(one.phrases):
        raise DataError(
            f"People are asked about {one.name} as {before.phrased.said}, and {one.said} may not mean the same. {named}"
        )


def _version(settings: Settings, view: PoolView, wanted: Phrased) -> ObjectVersion:
    before = objects.find(settings, wanted.name)
    if before is not None and before.made_of(wanted, view.fingerprint):
        return before
    vectors = prompt_vectors(settings, wanted.phrases)
    assert vectors is not None  # it is so of supplied vectors alone: ``check``
    with reading(settings) as session:
        active = active_fingerprint(session)
    if active is None or active.digest != view.fingerprint.digest:  # words of one and images of the other, for good
        raise EncoderMismatch(
            f"The encoder was changed while {wanted.said} was compared with the images, so nothing was kept. Measure "
            "again once all images have vectors: `attune features measure`"
        )
    return objects.made(settings, wanted, view.fingerprint, head_of(vectors, view.pool))


def _measured(settings: Settings, view: PoolView, one: ObjectVersion, report: Report) -> ObjectDone:
    here = values.pool(settings)
    rows = np.flatnonzero(view.keys >= 0)
    known = one.values.known()
    waiting = [
        (row, id_) for row, id_ in zip(rows.tolist(), view.pool.asset_ids[rows].tolist(), strict=True)
        if id_ in here and known.get(id_) != here[id_]
    ]  # fmt: skip
    done = 0
    for part in _batches(waiting):
        found = one.head.probabilities(view.pool.rows([row for row, _ in part]))
        ids = [id_ for _, id_ in part]
        one.values.append(ids, [here[id_] for id_ in ids], found[:, None].astype(np.float32))
        done += len(part)
        report(done, len(waiting))
    objects.keep(settings, one)
    every = values.measured(settings, one.name)
    yes = int((every.values >= OBJECT_FROM).sum())
    unknown = _unknown(view, one.phrased)
    return ObjectDone(
        one.name, one.number, one.phrased.phrases, done, len(every.ids), yes, len(here) - len(every.ids), unknown
    )


def _batches(waiting: Sequence[tuple[int, str]]) -> Iterator[Sequence[tuple[int, str]]]:
    for start in range(0, len(waiting), BATCH):
        yield waiting[start : start + BATCH]


def _unknown(view: PoolView, one: Phrased) -> tuple[str, ...]:
    if not is_sample_encoder(view.fingerprint):
        return ()
    known = set(known_words.known(one.phrases))
    return tuple(phrase for phrase in one.phrases if phrase not in known)


def _parts(report: Report, place: int, total: int) -> Report:
    """``report`` of one object among ``total``, as if each had as many images to measure."""

    def told(done: int, of: int) -> None:
        report(place * of + done, total * of)

    return told
