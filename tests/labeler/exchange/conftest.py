"""A workspace with answers of every kind, and a second one with the same pool and none."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.records.schema import Annotation, Asset, Expert
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings, build
from tests.support import factories

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLASSES = ("romance", "=friendship", "neither")
PEOPLE = ("ana@example.org", "bo@example.org")


def fill(settings: Settings, assets: int = 12) -> None:
    """The attribute ``romance``, two experts and ``assets`` assets a0, a1, … two a title; a name that is a formula."""
    with writing(settings) as session:
        attributes.create(session, Definition("romance", "Romance?", CLASSES), settings)
        session.add_all(Expert(email=email, name=email[:3], added_at=NOON) for email in PEOPLE)
        for i in range(assets):
            name = "@sum(a1)" if i == 1 else f"a{i}"
            columns = {"width": 1, "height": 1, "columns": {}, "added_at": NOON, "digest": str(i)}
            session.add(Asset(asset_id=name, title_id=f"t{i // 2}", uri=f"/images/{i}.jpg", **columns))


@pytest.fixture(scope="session")
def blank_pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of such a workspace, made once."""
    made = build({}, workspace=tmp_path_factory.mktemp("pool"))
    factories.newest(made)
    fill(made)
    from attune.labeler.records.session import engine

    engine(made.records_url).dispose()
    return made.workspace / "records.sqlite"


@pytest.fixture
def pool(tmp_path: Path, blank_pool: Path) -> Settings:
    """A workspace with a pool and nobody's answer. No Redis answers here: rounds are asked for by the schedule."""
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(blank_pool, folder)
    return build({}, workspace=folder, redis_url=f"unix://{tmp_path}/no-redis")


@pytest.fixture
def answered(pool: Settings) -> Settings:
    """Both experts have answered: ordinary, unsure, skipped, audited, corrected, and one that was deleted."""
    said = [
        (1, 1, "romance", "borderline", None, 0),
        (1, 2, "=friendship", "borderline", None, 1),
        (2, 1, "=friendship", "likely", None, 2),
        (3, 1, "unsure", "spread", None, 3),
        (4, 2, "skip", "seed", None, 4),
        (5, 1, "neither", "audit", 0.25, 5),
        (6, 1, "romance", "borderline", None, 6),
        (6, 1, "neither", "by-hand", None, 7),
    ]
    with writing(pool) as session:
        for key, (asset, expert, value, purpose, inclusion, minutes) in enumerate(said, 1):
            at = NOON + timedelta(minutes=minutes)
            session.add(answer(key, asset, expert, value, purpose, at, inclusion))
        gone = answer(99, 7, 1, "romance", "seed", NOON)
        gone.deleted_at = NOON
        session.add(gone)
    return pool


def answer(
    key: int | None, asset: int, expert: int, value: str, purpose: str, at: datetime, inclusion: float | None = None
) -> Annotation:
    """A row of Label Studio's answers."""
    return Annotation(
        label_studio_id=key, attribute_id=1, revision=1, asset_pk=asset, expert_id=expert, value=value,
        purpose=purpose, inclusion=inclusion, lead_seconds=2.5, answered_at=at, updated_at=at, received_at=at,
    )  # fmt: skip
