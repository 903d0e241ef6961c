"""One rule for what an answer is: every page, table, file and round counts the same ones."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sqlalchemy import delete, select

from attune.labeler import settings as reader
from attune.labeler.answers import counting, exclude_expert, exclusion, held_answers, threads, totals
from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import revise_attribute
from attune.labeler.catalog import audit_evidence
from attune.labeler.cli.attribute import facts
from attune.labeler.exchange import export_files
from attune.labeler.people import experts
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, AnnotationEvent, Attribute, AttributeRevision, Expert
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import people, revisions
from attune.labeler.views.recent import recent
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.labels.answers import SKIP, Answer, latest
from attune.models.vectors.vector_store import VectorStore
from attune.workers.rounds import snapshot
from tests.support import databases, factories

CLASSES = ["romance", "Ärger", "neither"]  # of which one sorts otherwise in most languages than by its bytes
PEOPLE = ("ana@example.org", "bo@example.org")
ASSETS = 3
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COUNTS, DELETED, SET_ASIDE = "counts", "deleted", "set aside"


@dataclass(frozen=True)
class Given:
    """One annotation as Label Studio may have it: each has a task of its own, so that an image may have two."""

    asset: int
    expert: int
    value: str
    minute: int
    purpose: str
    state: str
    revision: int


annotations = st.lists(
    st.builds(
        Given,
        asset=st.integers(0, ASSETS - 1),
        expert=st.integers(0, len(PEOPLE) - 1),
        value=st.sampled_from([*CLASSES, "unsure", SKIP]),
        minute=st.integers(0, 3),  # few, so that two have the same time
        purpose=st.sampled_from(["borderline", "audit", "by-hand", "import"]),
        state=st.sampled_from([COUNTS, COUNTS, COUNTS, DELETED, SET_ASIDE]),
        revision=st.sampled_from([1, 2, 2]),
    ),
    max_size=14,
)


@pytest.fixture(scope="module", params=databases.BOTH)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A pool of three images with vectors, two experts; revision 2 ended the answers of revision 1 at ten past."""
    made = reader.build(
        {},
        workspace=tmp_path_factory.mktemp("counting"),
        database_url=databases.database(request),
        redis_url="redis://127.0.0.1:1/0",
    )
    factories.newest(made)
    attribute = factories.add_attribute(made, classes=CLASSES)
    for email in PEOPLE:
        factories.add_queue(made, attribute, factories.add_expert(made, email))
    fingerprint = Fingerprint("external", "vectors", "external:0", ASSETS)
    assets = factories.add_assets(made, ASSETS)
    VectorStore(made.vectors).append(fingerprint, [one.asset_id for one in assets], np.eye(ASSETS, dtype=np.float32))
    with writing(made) as session:
        activate(session, fingerprint)
        row = session.get_one(Attribute, attribute.id)
        row.settings, row.revision = {"seed": 0, "reserved_share": 0.4, "strategy": "attune"}, 2
        session.add(
            AttributeRevision(
                attribute_id=attribute.id, revision=2, content={}, answers_hold=False,
                created_at=NOON + timedelta(minutes=1, seconds=30),
            )
        )  # fmt: skip
    yield made
    engine(made.records_url).dispose()


def fill(settings: Settings, found: list[Given]) -> None:
    """Let the records hold just these annotations."""
    held_answers._kept.tables.clear()  # nothing but this deletes history
    with writing(settings) as session:
        session.execute(delete(AnnotationEvent))
        session.execute(delete(Annotation))
        attribute = session.scalars(select(Attribute.id)).one()
        people = list(session.scalars(select(Expert.id).order_by(Expert.email)))
        assets = sorted(key for (key,) in session.execute(select(factories.Asset.id)))
        for number, one in enumerate(found):
            at = NOON + timedelta(minutes=one.minute)
            row = Annotation(
                label_studio_id=number + 1, attribute_id=attribute, revision=one.revision,
                label_studio_task=number + 1, asset_pk=assets[one.asset], expert_id=people[one.expert],
                value=one.value, purpose=one.purpose, inclusion=0.25 if one.purpose == "audit" else None,
                # Submitted in another order than changed last.
                answered_at=NOON - timedelta(minutes=number), updated_at=at, received_at=at,
                deleted_at=None if one.state == COUNTS else at,
            )  # fmt: skip
            session.add(row)
            session.flush()
            kinds = {COUNTS: "created", DELETED: "deleted", SET_ASIDE: exclusion.SET_ASIDE}
            session.add(
                AnnotationEvent(
                    annotation_id=row.id, kind=kinds[one.state], value=one.value, updated_at=at, via="webhook",
                    received_at=at,
                )
            )  # fmt: skip


def expected(found: list[Given], state: str = COUNTS) -> list[Given]:
    """The rule in a few lines: the newest of each expert on each image that holds, and is no skip."""
    newest: dict[tuple[int, int], Given] = {}
    for one in found:
        if one.state == state and (state == SET_ASIDE or one.revision == 2 or one.minute >= 2):
            held = newest.get((one.asset, one.expert))
            if held is None or _age(one) > _age(held):
                newest[one.asset, one.expert] = one
    return [one for one in newest.values() if one.value != SKIP]


def _age(one: Given) -> tuple[int, str, str]:
    return one.minute, one.value, one.purpose


DOUBLED = [Given(0, 0, "romance", 2, "borderline", COUNTS, 2), Given(0, 0, "neither", 3, "borderline", COUNTS, 2)]
TAKEN_BACK = [*DOUBLED, Given(0, 0, SKIP, 3, "by-hand", COUNTS, 2)]


@effort(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=annotations)
@example(found=DOUBLED)
@example(found=TAKEN_BACK)
@example(found=[Given(0, 0, value, 2, "borderline", COUNTS, 2) for value in ("Ärger", "romance")])
def test_every_place_counts_the_same_answers(settings: Settings, found: list[Given]) -> None:
    fill(settings, found)
    answer = expected(found)
    total, values = len(answer), Counter(one.value for one in answer)
    people_of = Counter(PEOPLE[one.expert] for one in answer)
    with reading(settings) as session:
        attribute = session.scalars(select(Attribute)).one()
        counts = totals.count(session, {attribute.id: CLASSES})[attribute.id]
        # The attribute's page, the home page, the API that both ask, and the command line's tables.
        assert counts.answers == facts(session, attribute)["answers"] == total
        assert {value: n for value, n in counts.by_value.items() if n} == dict(values)
        assert counts.assets == len({one.asset for one in answer})
        assert {one.name.lower(): one.answers for one in counts.experts if one.answers} == {
            email.partition("@")[0]: n for email, n in people_of.items()
        }
        shown = [one.value for one in recent(session, Viewer("owner", "o"), attribute.id, size=50).items]
        assert Counter(value for value in shown if value != SKIP) == values
        assert revise_attribute.effect(session, attribute.id, {}).kept == total
        everybody = session.scalars(select(Expert.id)).all()
        assert totals.by_expert(session, everybody) == counting.by_expert(session)
        for one in everybody:
            assert totals.by_attribute(session, one) == counting.by_attribute(session, one)
        purposes = totals.by_purpose(session, [attribute.id])[attribute.id]
        assert purposes == Counter(one.purpose for one in answer)
    assert {one["email"]: one["answers"] for one in experts.every(settings)} == {who: people_of[who] for who in PEOPLE}
    assert {one.email: one.answers for one in people.people(settings).items} == {who: people_of[who] for who in PEOPLE}
    assert revisions.answers_by_value(settings, "romance") == dict(values)
    for email in PEOPLE:
        assert exclude_expert.affected_answers(settings, email).counting.get("romance", 0) == people_of[email]
    # What leaves.
    content = export_files.export(settings, "romance", "csv").content.decode()
    rows = [row for row in csv.DictReader(io.StringIO(content)) if row["class"] != SKIP and row["holds"] == "true"]
    assert Counter((row["expert"], row["class"]) for row in rows) == Counter(
        (PEOPLE[one.expert], one.value) for one in answer
    )
    agreed = csv.DictReader(io.StringIO(export_files.export(settings, "romance", "csv", agreed=True).content.decode()))
    assert sum(int(row["answers"]) for row in agreed) == total
    # What is learned from, and what judges it.
    assert snapshot.take_snapshot(settings, "romance").count == total
    judged = audit_evidence.collect(settings, "romance").answers
    assert Counter(one.value for one in judged if one.value != SKIP) == values


@effort(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=annotations)
@example(found=[Given(0, 0, value, 2, "borderline", COUNTS, 2) for value in ("Ärger", "romance")])
@example(found=[Given(0, who, value, 2, "borderline", COUNTS, 2) for who, value in enumerate(("Ärger", "romance"))])
def test_sql_and_python_pick_the_same_annotations(settings: Settings, found: list[Given]) -> None:
    fill(settings, found)
    with reading(settings) as session:
        there = session.scalars(select(Annotation).where(counting.is_valid())).all()
        picked = sorted(session.scalars(select(counting.current().c.id)))
        assert picked == sorted(one.id for one in counting.newest(there))
        told = [
            Answer(str(one.asset_pk), "t", str(one.expert_id), one.value, one.purpose, one.updated_at, one.inclusion)
            for one in there
        ]
        by_sql = session.execute(select(counting.current().c["asset_pk", "expert_id", "value"])).all()
        attribute = session.scalars(select(Attribute.id)).one()
        disputed = sorted(held_answers.of(session, attribute).disputed.tolist())
        assert disputed == sorted(session.scalars(threads.disputed(attribute)))
    models = {(one.asset_id, one.expert, one.value) for one in latest(told)}
    assert {(str(asset), str(expert), value) for asset, expert, value in by_sql} == models


@effort(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=annotations)
@example(found=[Given(0, 0, value, 3, "seed", SET_ASIDE, 2) for value in ("romance", "neither")])
def test_answers_set_aside_are_counted_alike(settings: Settings, found: list[Given]) -> None:
    fill(settings, found)
    each = Counter(PEOPLE[one.expert] for one in expected(found, SET_ASIDE))
    with reading(settings) as session:
        attribute = session.scalars(select(Attribute.id)).one()
        assert {email: n for _, email, n in exclusion.by_expert(session, attribute)} == dict(each)
    for email in PEOPLE:
        assert exclude_expert.affected_answers(settings, email).set_aside.get("romance", 0) == each[email]


def test_setting_a_double_submit_aside_moves_one_answer(settings: Settings) -> None:
    fill(settings, DOUBLED)
    assert exclude_expert.exclude(settings, PEOPLE[0]) == {"romance": 1}
    with reading(settings) as session:
        assert counting.total(session, session.scalars(select(Attribute.id)).one()) == 0
    assert exclude_expert.include(settings, PEOPLE[0]) == {"romance": 1}
    assert experts.every(settings)[0]["answers"] == 1
