"""A workspace whose probes can be judged: images, two experts, audit answers with known probabilities, better runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import select, update

from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Annotation, Asset, Expert, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import probe_bytes
from attune.models.clock import now
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.files.atomic import digest_bytes
from attune.models.labels.answers import AUDIT
from tests.labeler.catalog import worlds
from tests.support import factories

ASSETS, AUDITS, TRAINING = 600, 80, 60
SEED = 10  # instead of the workspace's secret one, so that the same titles are reserved in every run of the tests
GENRES = ("drama", "comedy", "horror", "documentary")
NAMES = ("Ana", "Bo")


def add(settings: Settings, images: bool = False, audits: int = AUDITS) -> None:
    """Fill a workspace of ``worlds.filled``: run 1 of each attribute guesses, run 4 (2 of romance) knows the truth.

    ``serious`` depends on the first dimension, ``romance`` on the first three; one answer in ten is noise.
    """
    x = worlds.add_assets(settings, ASSETS)
    _reserve(settings)
    rng = np.random.default_rng(5)
    _describe(settings, rng, images)
    experts = _experts(settings)
    truths = {"serious": np.where(x[:, 0] > 0.25, 0, 1), "romance": x[:, :3].argmax(axis=1)}
    heads = {"serious": np.eye(1, worlds.DIMENSION), "romance": np.eye(3, worlds.DIMENSION)}
    for name, truth in truths.items():
        better = worlds.add_run(settings, name, 0.8)
        _answer(settings, rng, name, truth, experts, audits)
        for number, sharp in ((1, 0.25), (better, 1.0)):
            _teach(settings, rng, name, number, heads[name] * sharp, 0.8 if sharp < 1 else 0.08)


def filled(workspace: Path, images: bool = False, audits: int = AUDITS, **arguments: object) -> Settings:
    """``add`` on a workspace of its own."""
    made = worlds.filled(workspace, **arguments)
    add(made, images, audits)
    return made


def _reserve(settings: Settings) -> None:
    with writing(settings) as session:
        for attribute in attributes.every(session):
            attribute.settings = attribute.settings | {"seed": SEED}


def _describe(settings: Settings, rng: np.random.Generator, images: bool) -> None:
    """Give every asset a genre and a year, and a file where pages are to show it."""
    with writing(settings) as session:
        for number, asset in enumerate(session.scalars(select(Asset).order_by(Asset.id))):
            genre = str(rng.choice(GENRES, p=(0.5, 0.3, 0.17, 0.03)))
            asset.columns = {"genre": genre, "year": 1960 + number % 60}
            asset.width, asset.height = 240, 320
            if images:
                path = settings.workspace / "images" / f"{asset.asset_id}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content := factories.picture(number))
                asset.uri, asset.digest = str(path), digest_bytes(content)


def _experts(settings: Settings) -> list[Expert]:
    return [factories.add_expert(settings, f"{name.lower()}@example.org", name) for name in NAMES]


def _answer(
    settings: Settings,
    rng: np.random.Generator,
    name: str,
    truth: npt.NDArray[np.int64],
    experts: list[Expert],
    audits: int,
) -> None:
    with writing(settings) as session:
        attribute = attributes.find(session, name)
        assets = list(session.scalars(select(Asset).order_by(Asset.id)))
        seed, share = attribute.settings["seed"], attribute.settings["reserved_share"]
        kept = reserved_mask([asset.title_id for asset in assets], seed, share)
        mine = np.flatnonzero(kept)
        design = AuditDesign(seed)
        drawn = design.extend(
            [assets[i].asset_id for i in mine], [assets[i].title_id for i in mine], None, audits
        ) if audits else []  # fmt: skip
        asked = [(int(mine[i]), AUDIT, inclusion) for i, inclusion in drawn]
        asked += [(int(i), "borderline", None) for i in rng.choice(np.flatnonzero(~kept), TRAINING, replace=False)]
        for place, (row, purpose, inclusion) in enumerate(asked):
            at = now() - timedelta(hours=len(asked) - place)
            for expert in experts if place % 3 == 0 else experts[place % 2 : place % 2 + 1]:
                said = int(truth[row]) if rng.random() > 0.1 else int(rng.integers(len(attribute.classes)))
                values = {"purpose": purpose, "inclusion": inclusion, "answered_at": at, "updated_at": at}
                session.add(
                    Annotation(
                        attribute_id=attribute.id,
                        revision=1,
                        asset_pk=assets[row].id,
                        expert_id=expert.id,
                        value=attribute.classes[said],
                        received_at=at,
                        **values,
                    )
                )
        attribute.audit_state = design.to_bytes()


def _teach(
    settings: Settings, rng: np.random.Generator, name: str, number: int, head: npt.NDArray[np.float64], noise: float
) -> None:
    """Put a probe into a run that was recorded with another."""
    weight = 6 * head + noise * rng.normal(size=head.shape)
    k = len(weight)
    bias = np.full(k, -1.5) if k == 1 else np.zeros(k)
    labels = {
        "answers": 140,
        "assets": 120,
        "classes": {"serious": 40, "not serious": 100} if k == 1 else {"romance": 50, "friendship": 40, "neither": 50},
        "experts": {"ana@example.org": 80, "bo@example.org": 60},
        "purposes": {"audit": 80, "borderline": 60},
        "trained_on": TRAINING,
        "audited": AUDITS,
    }
    with reading(settings) as session:
        attribute_id = attributes.find(session, name).id
    with writing(settings) as session:
        session.execute(
            update(Run)
            .where(Run.attribute_id == attribute_id, Run.number == number)
            .values(probe=probe_bytes(weight, bias, np.tile([1.0, 0.0], (k, 1))), labels=labels)
        )
