"""The demo's preparation, stopped anywhere and started again: nothing is done twice, no answer given twice."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select

from attune.labeler import settings as reader
from attune.labeler.answers import counting, exclude_expert
from attune.labeler.assets import active_encoder
from attune.labeler.attributes import attributes, audit_batches
from attune.labeler.demo import performed, prepare, simulate, story
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.label_studio import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.records.schema import (
    Annotation,
    Asset,
    Expert,
    InsightRun,
    PerformanceImport,
    Promotion,
    Queue,
    Version,
)
from attune.labeler.records.session import reading
from attune.labeler.sample import catalogue, stock_experts
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.encoders.weights import locate
from attune.models.vectors.pool import unit_length
from attune.models.vectors.products import FloatArray

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]
IMAGES, ANSWERS, MEASURING = 120, 9, 4
LONG_SIDE = 160  # pixels of an image: a third of the demo's, and more than its encoder looks at


class Killed(BaseException):
    """As kill -9 ends a process: nothing catches it."""


class Looks:
    """In the place of the encoder, which takes four seconds to load: a vector is what an image looks like, 8 by 8."""

    batch = 64

    def __init__(self, settings: Settings) -> None:
        found = locate(settings.encoder, settings.pretrained)
        facts = {"resize_mode": settings.resize_mode}
        self.fingerprint = Fingerprint("open_clip", found.model, found.digest, 3 * 8 * 8, preprocessing=facts)

    def prepare(self, image: Image.Image) -> FloatArray:
        return np.asarray(image.resize((8, 8)), dtype=np.float32).ravel() - 128

    def encode_prepared(self, images: Sequence[FloatArray]) -> FloatArray:
        return unit_length(np.stack(images))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        rng = np.random.default_rng(0)
        return unit_length(rng.standard_normal((len(texts), self.fingerprint.dimension)).astype(np.float32))


@pytest.fixture
def settings(live: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A workspace with the sample's encoder. No workers here, so that jobs run in this process; no webhooks come."""
    reader.keep_settings(live.workspace, **prepare.encoder_settings())
    monkeypatch.setattr(prepare, "catalogue", partial(prepare.catalogue, images=IMAGES))
    monkeypatch.setattr(catalogue, "LONG_SIDE", LONG_SIDE)
    monkeypatch.setattr(story, "MEASURING", MEASURING)
    monkeypatch.setattr(simulate, "wait_learned", lambda *_: True)  # nobody learns meanwhile
    monkeypatch.setattr(simulate, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(active_encoder, "load", Looks)
    encoder = {**prepare.encoder_settings()}
    return reader.build({}, workspace=live.workspace, **_services(live), **encoder)


def _services(live: Settings) -> dict[str, Any]:
    names = ("redis_url", "label_studio_url", "label_studio_token")
    return {name: getattr(live, name) for name in names}


reported: set[str] = set()  # the steps that readers were shown


def prepared(settings: Settings) -> int:
    def progress(label: str) -> Report:
        reported.add(label.partition(":")[0])
        return jobs.quiet

    return story.prepared(settings, ANSWERS, progress)


@contextmanager
def killed(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, times: int, before: bool) -> Iterator[None]:
    """``place.name`` ends the process at its ``times``-th call, before it has done anything or after; no call returns
    after that, as the other threads are gone as well."""
    real: Callable[..., Any] = getattr(place, name)
    calls = itertools.count(1)

    def dying(*words: Any, **more: Any) -> Any:
        number = next(calls)
        if number > times or (number == times and before):
            raise Killed
        done = real(*words, **more)
        if number == times:
            raise Killed
        return done

    with monkeypatch.context() as patch:
        patch.setattr(place, name, dying)
        yield


POINTS = [
    (prepare, "catalogue", 1, False),
    (prepare, "assets", 1, True),
    (prepare, "assets", 1, False),
    (prepare, "attribute", 1, False),
    (prepare, "expert", 2, True),
    (prepare, "expert", 3, False),
    (story.jobs, "ask", 1, True),  # the first round
    (ExpertSession, "answer", 1, False),
    (ExpertSession, "answer", 3, False),
    (story.audit_batches, "request", 1, True),
    (story.audit_batches, "request", 1, False),
    (ExpertSession, "answer", 2, False),
    (story, "promote", 1, True),
    (story, "promote", 1, False),
    (performed.imports, "add", 1, False),
]


def test_stopped_at_every_step_it_ends_the_same(
    settings: Settings, ls: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, name, times, before in POINTS:
        with killed(monkeypatch, place, name, times, before), pytest.raises(Killed):
            prepared(settings)
    version = prepared(settings)
    assert prepared(settings) == version, "once more changes nothing"
    assert reported == {f"Step {number} of {story.STEPS}" for number in range(2, story.STEPS + 1)}
    each_answer_once(settings, ls)
    with reading(settings) as session:
        found = attributes.find(session, story.FINISHED)
        assert counting.total(session, found.id) == ANSWERS + MEASURING
        assert audit_batches.AuditRequest.of(found).extra == MEASURING
        assert session.scalar(select(func.count()).select_from(Promotion)) == 1
        assert session.scalar(select(func.count()).select_from(PerformanceImport)) == 1
        assert session.scalar(select(func.count()).select_from(InsightRun)) == 1
        assert session.scalars(select(Version)).one().scored_at is not None
        assert session.scalar(select(func.count()).select_from(Queue)) == len(prepare.SIMULATED) + 1
        assert session.scalar(select(func.count()).select_from(Asset)) == IMAGES


def each_answer_once(settings: Settings, ls: LabelStudio) -> None:
    """In Label Studio's export and in the records, and each what this expert says of this image."""
    eyes = {one.name: one for one in stock_experts(settings.workspace / "sample-catalogue")}
    with reading(settings) as session:
        rows = session.execute(
            select(Expert.name, Asset.asset_id, Annotation.value)
            .join(Annotation, Annotation.expert_id == Expert.id)
            .join(Asset, Asset.id == Annotation.asset_pk)
            .where(Annotation.deleted_at.is_(None))
        ).all()
        projects = session.execute(select(Queue.project, Expert.name).join(Expert, Expert.id == Queue.expert_id)).all()
    recorded = Counter((who, asset) for who, asset, _ in rows)
    assert set(recorded.values()) == {1}
    assert all(value == eyes[who].answer(story.FINISHED, asset) for who, asset, value in rows)
    exported: Counter[tuple[str, str]] = Counter()
    for project, who in projects:
        tasks = ls.request("GET", f"/api/projects/{project}/export", query={"exportType": "JSON"})
        for task in tasks:
            exported[who, task["data"]["asset_id"]] += len(task["annotations"])
    assert exported == recorded


def test_an_answer_given_again_is_one_answer(settings: Settings, ls: LabelStudio) -> None:
    story.load(settings, lambda _: jobs.quiet)
    sample = prepare.samples()[story.FINISHED]
    story.people_and_queues(settings, [sample], ["ana"], lambda _: jobs.quiet)
    project = simulate._project(settings, story.FINISHED, f"ana@{prepare.DOMAIN}")
    with ExpertSession.login(settings.label_studio_address, f"ana@{prepare.DOMAIN}", prepare.PASSWORD) as person:
        task = person.next_task(project)
        assert task is not None
        name = simulate.once(project, task["data"]["asset_id"])
        assert len({person.answer(task["id"], sample.classes[0], once=name) for _ in range(2)}) == 1
    jobs.run_here(settings, "sync")
    assert simulate.answer_count(settings, story.FINISHED) == 1
    assert exclude_expert.affected_answers(settings, f"ana@{prepare.DOMAIN}").counting == {story.FINISHED: 1}
