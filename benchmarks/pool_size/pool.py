"""A workspace with a large pool, written straight into records and vectors: no image exists.

Vectors of 512 numbers in 300 loose crowds (`benchmarks.scale.vectors`), three images to a title, two columns. One
question of two classes with its answers, clusters, notices, jobs, and a run for each four answers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.people import users
from attune.labeler.records.schema import Asset, Expert, Queue
from attune.labeler.records.session import migrate, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings
from attune.labeler.spaces.clusterings import New
from attune.labeler.spaces.members import Members
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_store import VectorStore
from benchmarks.scale import vectors

DIMENSION, BLOCK, PER_TITLE, CLUSTERS = 512, 20_000, 3, 24
EXPERTS = ("ana", "bo", "chidi", "dora")
PASSWORD = "four unrelated plain words"
QUESTION = "serious"
CLASSES = ("serious", "other")
GENRES = ("drama", "comedy", "horror", "documentary", "thriller")
ENCODER = Fingerprint("open_clip", "bench", "0" * 64, DIMENSION)
Truth = npt.NDArray[np.float32]


def make(folder: Path, size: int) -> tuple[Settings, Truth]:
    """The workspace with its pool, people and question; how much each image is of the first class, (size,)."""
    settings = reader.build({}, workspace=folder)
    migrate(settings)
    truth = _pool(settings, size)
    with writing(settings) as session:
        activate(session, ENCODER)
        attributes.create(session, Definition(QUESTION, "Is the expression serious?", CLASSES), settings)
        attributes.create(session, Definition("romance", "Romance or not?", ("romance", "other")), settings)
    _people(settings)
    _clusters(settings, size)
    return settings, truth


def asset_id(number: int) -> str:
    """The id of image ``number``, from 0; its key in the records is one more."""
    return f"poster-{number:07d}"


def _pool(settings: Settings, size: int) -> Truth:
    direction = np.random.default_rng(5).standard_normal(DIMENSION, dtype=np.float32)
    store, truth = VectorStore(settings.vectors), np.empty(size, dtype=np.float32)
    for start in range(0, size, BLOCK):
        rows = vectors(min(BLOCK, size - start), DIMENSION, start // BLOCK)
        numbers = range(start, start + len(rows))
        store.append(ENCODER, [asset_id(number) for number in numbers], rows)
        truth[start : start + len(rows)] = rows.astype(np.float32) @ direction
        with writing(settings) as session:
            session.execute(insert(Asset), [_asset(number) for number in numbers])
    return truth


def _asset(number: int) -> dict[str, object]:
    return {
        "asset_id": asset_id(number),
        "title_id": f"title-{number // PER_TITLE}",
        "uri": f"/nowhere/{number}.jpg",
        "digest": f"{number:064x}",
        "width": 300 if number % 3 else 800,
        "height": 450,
        "columns": {"genre": GENRES[number % len(GENRES)], "year": 1960 + number % 60},
        "added_at": now(),
    }


def _people(settings: Settings) -> None:
    with writing(settings) as session:
        people = [Expert(email=f"{name}@bench.example", name=name.title(), added_at=now()) for name in EXPERTS]
        session.add_all(people)
        session.flush()
        for number, one in enumerate(people, 1):
            # Label Studio is not here: nothing is asked of these projects.
            session.add(Queue(attribute_id=1, expert_id=one.id, project=number, view=number, created_at=now()))
        first = people[0].id
    users.create(settings, "ana@bench.example", "expert", PASSWORD, first)
    users.create(settings, "owner@bench.example", "owner", PASSWORD)
    users.create(settings, "admin@bench.example", "admin", PASSWORD)


def _clusters(settings: Settings, size: int) -> None:
    rng = np.random.default_rng(6)
    places = rng.integers(CLUSTERS, size=size)
    places = np.argsort(np.argsort(-np.bincount(places, minlength=CLUSTERS), kind="stable"))[places]
    sizes = np.bincount(places, minlength=CLUSTERS)
    held = Members(np.arange(1, size + 1), places.astype(np.int16), rng.random(size).astype(np.float16))
    near = [[other for other in range(CLUSTERS) if other != one][:3] for one in range(CLUSTERS)]
    made = New("final", ENCODER.digest, CLUSTERS, 0, held, sizes.tolist(), [0.9] * CLUSTERS, made_by="bench", near=near)
    clusterings.keep(settings, made)
