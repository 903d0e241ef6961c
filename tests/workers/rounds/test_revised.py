"""Rounds over a change of question: probes of the classes of now, from the answers that hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.catalog import gates
from attune.labeler.explore import pool_scores
from attune.labeler.jobs import jobs, learn_lease
from attune.labeler.label_studio import LabelStudio
from attune.labeler.label_studio import queue_tasks as label_studio_queue
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.records.schema import Attribute, Queue, Run, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import read_probe
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import learn
from attune.workers.rounds import learning_round, snapshot
from attune.workers.sync import sync
from tests.support import factories
from tests.support.services import EMAIL, PASSWORD
from tests.workers.jobs.test_make_grids import pool

CLASSES = ["romance", "friendship", "neither"]
SIZE, COUNT = 16, 90


def workspace(folder: Path, database_url: str | None = None) -> tuple[Settings, Queue]:
    """Ninety answered images whose vectors tell the three classes apart; every fifth was asked for the audit."""
    settings = factories.workspace(folder, redis_url="unix:///nowhere.sock", database_url=database_url)
    queue = factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))
    fingerprint = Fingerprint("external", "vectors", "external:0", SIZE)
    with writing(settings) as session:
        activate(session, fingerprint)
        kept = {"seed": 3, "reserved_share": 0.3, "strategy": "attune"}
        session.get_one(Attribute, queue.attribute_id).settings = kept
    assets = factories.add_assets(settings, COUNT)
    rng = np.random.default_rng(5)
    vectors = rng.normal(scale=0.3, size=(COUNT, SIZE))
    vectors[np.arange(COUNT), np.arange(COUNT) % 3] += 1.0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    VectorStore(settings.vectors).append(fingerprint, [asset.asset_id for asset in assets], vectors.astype(np.float32))
    for number, asset in enumerate(assets):
        factories.add_answer(settings, queue, asset, CLASSES[number % 3], "audit" if number % 5 == 0 else "borderline")
    return settings, queue


def learned(settings: Settings, queue: Queue) -> Run:
    """One round; the run that it recorded."""
    seen = snapshot.take_snapshot(settings, "romance")
    held = learn_lease.acquire_lease(settings, queue.attribute_id)
    assert held is not None
    number = learning_round.learn(settings, seen, None, held).run
    held.release(seen.attribute.answers_counter)
    with reading(settings) as session:
        return session.scalars(select(Run).where(Run.number == number)).one()


def test_rounds_go_on_over_a_removal_and_a_rename_and_are_compared_only_where_they_can_be(tmp_path: Path) -> None:
    settings, queue = workspace(tmp_path)
    runs = [learned(settings, queue)]
    with reading(settings) as session:
        held = revise_attribute.definition_of(attributes.find(session, "romance"))
    fewer = replace(held, classes=["romance", "neither"])
    done = revise_attribute.revise(settings, fewer, "Friendship was never clear.")
    assert done.effect.ended == {"friendship": COUNT // 3}
    runs.append(learned(settings, queue))
    called = replace(fewer, classes=["love", "neither"])
    revise_attribute.revise(settings, called, "A plainer word.", {"romance": "love"})
    runs.append(learned(settings, queue))

    assert [run.revision for run in runs] == [1, 2, 3]
    assert [len(read_probe(run.probe).weight) for run in runs] == [3, 1, 1]
    assert [sorted(run.labels["classes"]) for run in runs] == [
        sorted(CLASSES),
        ["neither", "romance"],
        ["love", "neither"],
    ]
    assert [run.answers for run in runs] == [COUNT, 2 * COUNT // 3, 2 * COUNT // 3]

    factories.publish(settings, runs[0])
    told = {gate.name: gate for gate in gates.check(settings, "romance", runs[2])}["not_worse_than_champion"]
    assert (told.passed, told.value) == (None, None)


@pytest.mark.services
@pytest.mark.slow
def test_what_holds_no_longer_is_really_asked_again(live: Settings, ls: LabelStudio) -> None:
    pool(live, ["tender", "other"])
    learn.run(live, jobs.quiet, "tender", size=12)
    with reading(live) as session:
        mine = session.scalars(select(Queue)).one()
    with ExpertSession.login(live.label_studio_address, EMAIL, PASSWORD) as person:
        for number in range(12):
            person.answer(person.next_task(mine.project)["id"], "tender" if number % 2 else "other")
        sync.run(live, jobs.quiet)
        with reading(live) as session:
            held = revise_attribute.definition_of(attributes.find(session, "tender"))
        revise_attribute.revise(
            live, replace(held, question="Tender, really?"), "Nobody meant the same.", kept_classes="none"
        )
        revise_attribute.configure(live, jobs.quiet, "tender")  # as the job does that a revision brings
        learn.run(live, jobs.quiet, "tender", size=12)
        with reading(live) as session:
            waiting = set(session.scalars(select(Task.label_studio_task).where(Task.state == "open")))
        assert set(label_studio_queue.open_tasks(ls, mine.project)) == waiting
        assert len(waiting) == 12
        person.answer(person.next_task(mine.project)["id"], "tender", lead_time=0.0)
    sync.run(live, jobs.quiet, whole=True)
    done = learn.run(live, jobs.quiet, "tender", size=12)
    assert done["answers"] == 1
    with reading(live) as session:
        scores = pool_scores.load(live, attributes.find(session, "tender"))
    assert scores is not None, "the pages read the newest probe's say"
    assert scores.summary.run == done["run"]
