"""A workspace for pictures in which nothing is made up: drawings, answers of the sample's experts, probes that learned.

Only the loop around it is missing: no Label Studio, no workers. Rounds run here, one after another.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.demo import prepare
from attune.labeler.jobs.learn_lease import acquire_lease
from attune.labeler.records.schema import Annotation, Asset, Attribute, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS, write_catalogue
from attune.labeler.sample.catalogue import Catalogue, Truth
from attune.labeler.sample.questions import ATTRIBUTES, SampleAttribute
from attune.labeler.sample.simulated_experts import SKIP, Expert, stock_experts
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.files.atomic import digest_bytes
from attune.models.labels.answers import AUDIT
from attune.workers.jobs import embed
from attune.workers.rounds import gallery_scores, label_errors, learning_round, slow_figures
from attune.workers.rounds.snapshot import take_snapshot
from tests.support import factories

AUDITS = 90
FIRST, STEP, ROUNDS = 15, 55, 4  # training answers of the first round, of each further one, and how many rounds
DOMAIN = "example.org"


@dataclass(frozen=True)
class Studio:
    """The workspace, its catalogue, and the queues by attribute and expert."""

    settings: Settings
    catalogue: Catalogue
    queues: Mapping[tuple[str, str], Queue]

    def asset(self, asset_id: str) -> Asset:
        """The asset's row."""
        with reading(self.settings) as session:
            return session.scalars(select(Asset).where(Asset.asset_id == asset_id)).one()

    def unanswered(self, name: str) -> list[Truth]:
        """What is true of the images whose answers to the question ``name`` are still to come, in the pool's order."""
        asked = select(Annotation.asset_pk).join(Attribute, Attribute.id == Annotation.attribute_id)
        with reading(self.settings) as session:
            left = select(Asset.asset_id).where(Asset.id.not_in(asked.where(Attribute.name == name)))
            return [self.catalogue.truths[key] for key in session.scalars(left.order_by(Asset.id))]


def made(folder: Path, images: int = 800) -> Studio:
    """Both questions of the sample, answered and learned; the first probe of ``serious-expression`` is champion."""
    encoder = {"encoder": str(ENCODER_CONFIG), "pretrained": str(ENCODER_WEIGHTS), "resize_mode": ENCODER_RESIZE_MODE}
    settings = factories.workspace(folder / "studio", **encoder)
    catalogue = write_catalogue(folder / "sample", images)
    add_images(settings, catalogue)
    embed.run(settings)
    experts = {one.name: one for one in stock_experts(catalogue)}
    rows = {name: factories.add_expert(settings, f"{name}@{DOMAIN}", name.capitalize()) for name in experts}
    queues: dict[tuple[str, str], Queue] = {}
    for sample in ATTRIBUTES:
        attribute = _add_question(settings, sample)
        queues |= {(sample.name, name): factories.add_queue(settings, attribute, row) for name, row in rows.items()}
        _work(settings, attribute, experts, queues)
    return Studio(settings, catalogue, queues)


def add_images(settings: Settings, catalogue: Catalogue) -> None:
    with catalogue.manifest.open(newline="", encoding="utf-8") as lines:
        titles = {row["asset_id"]: row["title"] for row in csv.DictReader(lines)}
    with writing(settings) as session:
        for truth in catalogue.truths.values():
            path = catalogue.folder / "images" / f"{truth.asset_id}.jpg"
            width, height = Image.open(path).size
            session.add(
                Asset(
                    asset_id=truth.asset_id,
                    title_id=truth.title_id,
                    uri=str(path),
                    digest=digest_bytes(path.read_bytes()),
                    width=width,
                    height=height,
                    columns={
                        "setting": truth.setting,
                        "people": truth.people,
                        "title": titles[truth.asset_id],
                    },
                    added_at=now(),
                )
            )


def _add_question(settings: Settings, sample: SampleAttribute) -> Attribute:
    prepare.attribute(settings, sample)
    with reading(settings) as session:
        return attributes.find(session, sample.name)


def _work(
    settings: Settings,
    attribute: Attribute,
    experts: Mapping[str, Expert],
    queues: Mapping[tuple[str, str], Queue],
) -> None:
    """Audits, then rounds of training answers; the first round's probe becomes champion."""
    with reading(settings) as session:
        assets = list(session.scalars(select(Asset).order_by(Asset.id)))
    seed, share = attribute.settings["seed"], attribute.settings["reserved_share"]
    kept = np.flatnonzero(reserved_mask([one.title_id for one in assets], seed, share))
    design = AuditDesign(seed)
    drawn = design.extend([assets[i].asset_id for i in kept], [assets[i].title_id for i in kept], None, AUDITS)
    with writing(settings) as session:
        session.get_one(Attribute, attribute.id).audit_state = design.to_bytes()
    turn = cycle(experts)
    for place, inclusion in drawn:
        _answer(settings, attribute, assets[int(kept[place])], experts, queues, [next(turn)], AUDIT, inclusion)
    free = np.setdiff1d(np.arange(len(assets)), kept)
    order = np.random.default_rng(3).permutation(free)
    for number in range(ROUNDS):
        begin = FIRST + STEP * (number - 1) if number else 0
        for place, row in enumerate(order[begin : FIRST + STEP * number]):
            whom = list(experts) if place % 4 == 0 else [next(turn)]
            _answer(settings, attribute, assets[int(row)], experts, queues, whom, "borderline", None)
        run = learn(settings, attribute)
        if number == 0 and len(attribute.classes) == 2:
            promote(settings, Move(attribute.name, run, "The first, to have one.", f"olga@{DOMAIN}"))


def _answer(
    settings: Settings,
    attribute: Attribute,
    asset: Asset,
    experts: Mapping[str, Expert],
    queues: Mapping[tuple[str, str], Queue],
    whom: Sequence[str],
    purpose: str,
    inclusion: float | None,
) -> None:
    for name in whom:
        value = experts[name].answer(attribute.name, asset.asset_id)
        if value != SKIP:
            queue = queues[attribute.name, name]
            factories.add_task(settings, queue, asset, purpose, inclusion=inclusion)
            factories.add_answer(settings, queue, asset, value, purpose)


def learn(settings: Settings, attribute: Attribute) -> int:
    """One round without queues; its run."""
    lease = acquire_lease(settings, attribute.id)
    assert lease is not None
    snapshot = take_snapshot(settings, attribute.name)
    prompts = learning_round.known_prompts(settings, snapshot)
    learned = learning_round.learn(settings, snapshot, prompts, lease)
    gallery_scores.leave(settings, snapshot, learned.run)
    slow_figures.record_forecast(settings, snapshot, learned.run, prompts)
    label_errors.record(settings, snapshot, learned.run, prompts)
    lease.release(snapshot.attribute.answers_counter)
    return learned.run
