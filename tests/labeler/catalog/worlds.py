"""A workspace with attributes and runs, as learning leaves it, made without learning."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select

from attune.labeler import settings as reader
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.records import session
from attune.labeler.records.schema import Asset, Attribute, Encoder, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import probe_bytes
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_store import VectorStore
from tests.support import factories

DIMENSION = 8
FINGERPRINT = Fingerprint("open_clip", "tiny", "ab" * 32, DIMENSION)
CLASSES = {"serious": ("serious", "not serious"), "romance": ("romance", "friendship", "neither")}


def make(workspace: Path, **arguments: object) -> Settings:
    """Settings of a new workspace whose records hold both attributes and the active encoder."""
    settings = reader.build({}, workspace=workspace, **arguments)
    factories.newest(settings)
    with writing(settings) as opened:
        opened.add(Encoder(digest=FINGERPRINT.digest, fingerprint=FINGERPRINT.to_dict(), active=True, added_at=now()))
        for name, classes in CLASSES.items():
            wanted = Definition(name, f"Is it {name}?", classes, f"What {name} means.")
            attributes.create(opened, wanted, settings)
    return settings


def filled(workspace: Path, **arguments: Any) -> Settings:
    """A workspace with three runs of ``serious`` (AP .6, .7, .8) and one of ``romance``; none is published."""
    shutil.copytree(_template(), workspace)
    return reader.build({}, workspace=workspace, **arguments)


@functools.cache
def _template() -> Path:
    """Made once a process: migrations take a while."""
    folder = Path(tempfile.mkdtemp(prefix="attune-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = make(folder / "workspace")
    for quality in (0.6, 0.7, 0.8):
        add_run(made, "serious", quality)
    add_run(made, "romance")
    session.engine(made.records_url).dispose()
    return made.workspace


def add_assets(settings: Settings, count: int, first: int = 0) -> np.ndarray:
    """Put assets a0, a1, … (two a title) into the pool, with vectors of the active encoder; these, float32 (n, d)."""
    x = np.random.default_rng([count, first]).normal(size=(count, DIMENSION)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids = [f"a{first + i}" for i in range(count)]
    with writing(settings) as opened:
        for i, asset_id in enumerate(ids):
            opened.add(
                Asset(
                    asset_id=asset_id,
                    title_id=f"t{(first + i) // 2}",
                    uri=f"file:///{asset_id}.png",
                    digest=f"{first + i:064x}",
                    width=8,
                    height=8,
                    columns={},
                    added_at=now(),
                )
            )
    VectorStore(settings.vectors).append(FINGERPRINT, ids, x)
    return x.astype(np.float16).astype(np.float32)


def add_run(settings: Settings, name: str = "serious", average_precision: float = 0.7) -> int:
    """Record one more run of the attribute; its number. The probe follows from name and number."""
    with writing(settings) as opened:
        attribute = attributes.find(opened, name)
        newest = opened.scalar(select(func.max(Run.number)).where(Run.attribute_id == attribute.id)) or 0
        number = newest + 1
        opened.add(run_of(attribute, number, average_precision))
    return number


def run_of(attribute: Attribute, number: int, average_precision: float) -> Run:
    """A run with a probe that its number decides."""
    generator = np.random.default_rng([len(attribute.name), number])
    k = 1 if len(attribute.classes) == 2 else len(attribute.classes)
    probe = probe_bytes(generator.normal(size=(k, DIMENSION)), np.zeros(k), np.tile([1.0, 0.0], (k, 1)))
    quality = {
        "name": "average_precision",
        "value": average_precision,
        "lo": average_precision - 0.1,
        "hi": average_precision + 0.1,
        "n": 40,
        "method": "title bootstrap",
    }
    return Run(
        attribute_id=attribute.id,
        number=number,
        revision=1,
        token=1,
        encoder_digest=FINGERPRINT.digest,
        answers_counter=number * 10,
        answers=number * 10,
        labels={
            "classes": dict.fromkeys(attribute.classes, number),
            "experts": {"ana@example.org": 3, "bo@example.org": 4},
        },
        seed=0,
        data_digest="d" * 64,
        code_version="0.1.0",
        metrics={"average_precision": quality},
        probe=probe,
        started_at=now(),
        finished_at=now(),
    )


def probe_of(settings: Settings, name: str, number: int) -> bytes:
    """The probe's bytes that the records hold of a run."""
    with reading(settings) as opened:
        attribute = attributes.find(opened, name)
        return opened.execute(
            select(Run.probe).where(Run.attribute_id == attribute.id, Run.number == number)
        ).scalar_one()
