"""Images that people choose: asked first, once, and never at the cost of what the audit measures."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.answers import exclude_expert
from attune.labeler.assets.active_encoder import activate
from attune.labeler.assets.active_pool import PoolView
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs.jobs import quiet
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.people import experts
from attune.labeler.queues import pinned
from attune.labeler.queues.pinned import Picked, waiting_picks
from attune.labeler.records.schema import Annotation, Attribute, Pick, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, RecordsError
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.labels.answers import AUDIT, SECOND_OPINION, Answer
from attune.models.vectors.pool import Pool
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import learn
from attune.workers.rounds import pinned_images
from attune.workers.rounds.queue_plan import HEAD, asked_rows, assign_to_queues
from attune.workers.sync import sync
from tests.support import factories
from tests.support.services import EMAIL, PASSWORD
from tests.workers.rounds.test_queue_plan import VIEW, ask, rows, snapshot, task

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def picked(row: int, queue: int = 1, at: datetime = NOON) -> Picked:
    return Picked(queue, row, "Chosen by olga.", at)


def test_chosen_images_stand_before_everything_the_probe_wants_in_the_order_of_choosing() -> None:
    seen = snapshot(1, picks=(picked(50), picked(40), picked(60)))
    plan = assign_to_queues(seen, [ask(row) for row in range(20)], size=20)[0]
    assert rows(plan.order)[:5] == [50, 40, 60, 0, 1]
    assert [item.purpose for item in plan.new[:3]] == ["seed"] * 3


def test_one_that_waits_already_moves_to_the_front_and_is_not_asked_twice() -> None:
    before = [task(key, row=100 + key) for key in range(30)]
    plan = assign_to_queues(snapshot(1, before, picks=(picked(120),)), [ask(row) for row in range(12)], size=40)[0]
    assert plan.order[0] is before[20]
    assert rows(plan.order).count(120) == 1


def test_a_selection_larger_than_the_head_is_asked_whole_and_never_goes_stale() -> None:
    many = tuple(picked(row) for row in range(100, 100 + 3 * HEAD))
    plan = assign_to_queues(snapshot(1, picks=many), [ask(row) for row in range(20)], size=10)[0]
    assert rows(plan.order)[: 3 * HEAD] == [one.row for one in many]
    waiting = [task(key, row=one.row) for key, one in enumerate(many)]
    later = assign_to_queues(snapshot(1, waiting, picks=many), [ask(row) for row in range(20)], size=10)[0]
    assert later.stale == []


def test_near_duplicates_and_the_same_title_are_let_in_and_only_the_queue_that_was_meant() -> None:
    plans = assign_to_queues(snapshot(2, picks=(picked(7), picked(8))), [], size=10)
    assert (rows(plans[0].order), rows(plans[1].order)) == ([7, 8], [])


def test_whoever_chooses_all_that_waits_cannot_tell_the_audits_by_their_place() -> None:
    before = [task(key, row=100 + key) for key in range(12)]
    audit = task(99, row=50, purpose=AUDIT, due=6)
    chosen = (picked(103), picked(50), picked(101))
    plan = assign_to_queues(snapshot(1, [*before, audit], picks=chosen), [], size=12)[0]
    assert rows(plan.order)[:3] == [103, 50, 101]
    assert rows(plan.order).count(50) == 1
    assert plan.order[1] is audit, "it is an audit still"


def test_the_planner_leaves_chosen_images_alone_and_a_drawn_audit_is_not_asked_beside_them() -> None:
    seen = snapshot(2, said=[(4, 1, "yes")], picks=(picked(50),))
    assert set(asked_rows(seen).tolist()) == {4, 50}
    drawn = [ask(50, AUDIT), ask(4, AUDIT), ask(9, AUDIT), ask(10)]
    assert [one.index for one in pinned_images.unanswered_audits(seen, drawn)] == [9]


def test_a_drawn_image_that_an_expert_chose_is_asked_of_somebody_else() -> None:
    """Whoever chose every image of the audited titles was else the only one to measure: nobody was asked beside."""
    own = frozenset({("a50", "e1@x.org"), ("a51", "e1@x.org"), ("a52", "e1@x.org")})
    waits = task(7, row=51, queue=1, purpose="seed")
    seen = snapshot(2, [waits], said=[(52, 1, "yes")], picks=(picked(50), picked(51)), own=own)
    drawn = [ask(row, AUDIT) for row in (50, 51, 52)]
    asked = pinned_images.unanswered_audits(seen, drawn)
    assert [one.index for one in asked] == [50, 51, 52]
    plans = {plan.queue: plan.order for plan in assign_to_queues(seen, asked, size=5)}
    assert rows(plans[1]) == [50, 51]
    assert {item.purpose for item in plans[1]} == {"seed"}
    assert sorted(rows(plans[2])) == [50, 51, 52]
    assert {item.purpose for item in plans[2]} == {AUDIT}


def test_an_audit_that_was_skipped_is_asked_of_somebody_else() -> None:
    skipped = task(3, row=50, queue=1, state="answered", purpose=AUDIT)
    seen = snapshot(2, [skipped], said=[(50, 1, "skip")])
    asked = pinned_images.unanswered_audits(seen, [ask(50, AUDIT)])
    plans = {plan.queue: rows(plan.order) for plan in assign_to_queues(seen, asked, size=5)}
    assert plans == {1: [], 2: [50]}
    both = snapshot(2, [skipped, task(4, row=50, queue=2, state="answered", purpose=AUDIT)])
    assert all(plan.order == [] for plan in assign_to_queues(both, [ask(50, AUDIT)], size=5))


def test_an_expert_who_answers_alone_keeps_the_own_choice_as_it_is() -> None:
    own = frozenset({("a50", "e1@x.org")})
    seen = snapshot(1, picks=(picked(50),), own=own)
    asked = pinned_images.unanswered_audits(seen, [ask(50, AUDIT)])
    (item,) = assign_to_queues(seen, asked, size=5)[0].order
    assert item.purpose == "seed"


def test_answers_to_the_own_choice_never_measure_but_others_on_the_image_do() -> None:
    design = AuditDesign(5)
    design.extend(["a1", "a2", "a3"], ["t1", "t2", "t3"], None, 3)
    own = frozenset({("a1", "e1@x.org"), ("a2", "e1@x.org"), ("a3", "e1@x.org")})
    seen = replace(snapshot(2, said=[(1, 1, "yes"), (2, 1, "yes"), (2, 2, "no"), (3, 1, "no")], own=own), design=design)
    asked_first = replace(seen.answers[3], purpose=AUDIT)  # it waited as an audit before its expert chose it
    seen = replace(seen, answers=(*seen.answers[:3], asked_first))
    told = {(answer.asset_id, answer.expert) for answer in seen.measuring}
    assert told == {("a2", "e2@x.org"), ("a3", "e1@x.org")}
    assert set(seen.audited.asset_ids) == {"a2", "a3"}


def test_a_queue_follows_at_once_only_while_its_picks_are_newer_than_its_order() -> None:
    seen = snapshot(2, picks=(picked(5),))
    for queue in seen.queues:
        queue.ordered_at = NOON - timedelta(seconds=1)
    assert [plan.urgent for plan in assign_to_queues(seen, [], 10)] == [True, False]
    for queue in seen.queues:
        queue.ordered_at = NOON + timedelta(seconds=1)
    assert not any(plan.urgent for plan in assign_to_queues(seen, [], 10))


def test_a_chosen_answer_measures_only_where_the_design_has_drawn_the_image_and_never_trains_on_an_audit_title() -> (
    None
):
    settings = {"seed": 5, "reserved_share": 0.3, "strategy": "attune"}
    held = np.flatnonzero(reserved_mask(VIEW.pool.title_ids, 5, 0.3))
    design = AuditDesign(5)
    ids = VIEW.pool.asset_ids[held].tolist()
    drawn = {ids[place] for place, _ in design.extend(ids, VIEW.pool.title_ids[held].tolist(), None, 8)}
    said = [(int(row), 1, "yes") for row in range(len(VIEW.pool))]  # everything was picked and answered
    seen = replace(snapshot(1, said=said), design=design)
    seen.attribute.settings = settings
    assert set(seen.audited.asset_ids) == drawn
    assert set(seen.training.asset_ids) == set(VIEW.pool.asset_ids.tolist()) - set(ids)


def test_imported_answers_never_measure() -> None:
    design = AuditDesign(5)
    design.extend(["a1", "a2"], ["t1", "t2"], None, 2)
    seen = replace(snapshot(1, said=[(1, 1, "yes")]), design=design)
    seen = replace(seen, answers=(Answer("a1", "t1", "e1@x.org", "yes", "import", NOON),))
    assert len(seen.audited) == 0


# -- in the records ----------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path, redis_url="redis://127.0.0.1:1/0")  # nobody listens: the sweep asks later


def test_what_was_answered_or_chosen_before_is_only_counted(settings: Settings) -> None:
    romance, assets = factories.add_attribute(settings), factories.add_assets(settings, 6)
    ana, bo = factories.add_expert(settings, "ana@example.org"), factories.add_expert(settings, "bo@example.org")
    for one in (ana, bo):
        queue = factories.add_queue(settings, romance, one)
        factories.add_answer(settings, queue, assets[0], "romance")
    names = [asset.asset_id for asset in assets]
    first = pinned.send(settings, "romance", [*names[:3], "nowhere"], "olga", why="the text “love”")
    assert (first.queued, first.asked_before, first.gone, first.experts) == (2, 1, 1, ["Ana", "Bo"])
    assert re.findall(r"\d|Ana|Bo", first.sentence()) == ["2", "Ana", "Bo", "1", "1"]
    again = pinned.send(settings, "romance", names[:4], "olga", expert="ana@example.org")
    assert (again.queued, again.asked_before, again.experts) == (1, 3, ["Ana"])
    with reading(settings) as session:
        held = session.execute(select(Pick.expert_id, Pick.asset_pk)).all()
        counter = session.scalar(select(Attribute.answers_counter).where(Attribute.id == romance.id))
    assert len(held) == len(set(held)) == 5
    assert counter == 4, "two answers and two selections: a learner at work must see each"


def test_what_an_expert_chose_for_the_own_queue_is_known_and_bounded(settings: Settings) -> None:
    romance, assets = factories.add_attribute(settings), factories.add_assets(settings, pinned.MOST_OWN + 3)
    ana, bo = factories.add_expert(settings, "ana@example.org"), factories.add_expert(settings, "bo@example.org")
    queue, _ = (factories.add_queue(settings, romance, one) for one in (ana, bo))
    names = [asset.asset_id for asset in assets]
    pinned.send(settings, "romance", names[:1], "olga")
    with pytest.raises(DataError, match="At most 100 can wait"):
        pinned.send(settings, "romance", names[1:], ana.email, ana.email)
    pinned.send(settings, "romance", names[1:3], ana.email, ana.email, why="the text “\x1b[31m\u202ex”")
    with reading(settings) as session:
        assert pinned.own_picks(session, romance.id) == {(name, ana.email) for name in names[1:3]}
        assert session.scalars(select(Pick.why).where(Pick.why != "").distinct()).one().isprintable()
    with pytest.raises(DataError, match="where 2 images of your choice still wait"):
        pinned.send(settings, "romance", names[3:], ana.email, ana.email)
    factories.add_answer(settings, queue, assets[1], "romance")
    factories.add_answer(settings, queue, assets[2], "romance")
    assert pinned.send(settings, "romance", names[3:], ana.email, ana.email).queued == pinned.MOST_OWN
    assert pinned.send(settings, "romance", names[3:], "olga", bo.email).queued == pinned.MOST_OWN


def test_each_expert_is_told_apart_where_they_had_answered_different_images(settings: Settings) -> None:
    romance, assets = factories.add_attribute(settings), factories.add_assets(settings, 4)
    ana, bo = factories.add_expert(settings, "ana@example.org"), factories.add_expert(settings, "bo@example.org")
    queue, _ = (factories.add_queue(settings, romance, one) for one in (ana, bo))
    factories.add_answer(settings, queue, assets[0], "romance")
    sent = pinned.send(settings, "romance", [asset.asset_id for asset in assets], "olga")
    assert re.findall(r"\d|Ana|Bo", sent.sentence()) == ["4", "3", "Ana", "4", "Bo"]


def test_a_chosen_image_whose_answer_was_set_aside_waits_for_nobody(settings: Settings) -> None:
    """It stood at the head of a queue that could not take it, and was kept from all others."""
    romance, assets = factories.add_attribute(settings), factories.add_assets(settings, 2)
    ana = factories.add_expert(settings, "ana@example.org")
    queue = factories.add_queue(settings, romance, ana)
    names = [asset.asset_id for asset in assets]
    pinned.send(settings, "romance", names, "olga")
    factories.add_answer(settings, queue, assets[0], "romance")
    pool = Pool(np.array(names), np.array(names), (VIEW.pool.rows([0, 1]),))
    view = PoolView(pool, np.array([asset.id for asset in assets]), VIEW.fingerprint)
    exclude_expert.exclude(settings, ana.email, "romance")
    with reading(settings) as session:
        assert [one.row for one in waiting_picks(session, romance.id, view)] == [1]
    sent = pinned.send(settings, "romance", names[:1], "olga")
    assert (sent.queued, sent.asked_before) == (0, 1)


def test_one_sent_for_a_second_opinion_is_asked_and_kept_as_such(settings: Settings) -> None:
    """Agreement is measured without images that were asked again because an answer looked wrong."""
    romance, assets = factories.add_attribute(settings), factories.add_assets(settings, 2)
    factories.add_queue(settings, romance, factories.add_expert(settings, "ana@example.org"))
    names = [asset.asset_id for asset in assets]
    pinned.send(settings, "romance", names[:1], "olga", "ana@example.org", purpose=SECOND_OPINION)
    pinned.send(settings, "romance", names[1:], "olga", "ana@example.org")
    pool = Pool(np.array(names), np.array(names), (VIEW.pool.rows([0, 1]),))
    with reading(settings) as session:
        keys = np.array([asset.id for asset in assets])
        waiting = waiting_picks(session, romance.id, PoolView(pool, keys, VIEW.fingerprint))
    assert [one.purpose for one in waiting] == [SECOND_OPINION, "seed"]
    assert "olga" in waiting[0].reason
    plan = assign_to_queues(snapshot(1, picks=tuple(replace(one, queue=1) for one in waiting)), [], size=10)[0]
    assert [(item.index, item.purpose) for item in plan.new] == [(0, SECOND_OPINION), (1, "seed")]


def test_a_selection_needs_images_and_somebody_to_answer(settings: Settings) -> None:
    factories.add_attribute(settings)
    (asset,) = factories.add_assets(settings, 1)
    with pytest.raises(DataError, match="1 to 500"):
        pinned.send(settings, "romance", [], "olga")
    with pytest.raises(RecordsError, match="attune expert add EMAIL --attribute romance"):
        pinned.send(settings, "romance", [asset.asset_id], "olga")


# -- on a real Label Studio --------------------------------------------------------------------------------------------


@pytest.mark.services
@pytest.mark.slow
def test_a_selection_is_what_label_studio_serves_next(live: Settings) -> None:
    assets = factories.add_assets(live, 60)
    x = np.random.default_rng(1).standard_normal((60, 8)).astype(np.float32)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 8)
    names = [asset.asset_id for asset in assets]
    VectorStore(live.vectors).append(made, names, x / np.linalg.norm(x, axis=1, keepdims=True))
    with writing(live) as session:
        activate(session, made)
        attributes.create(session, Definition("tender", "Tender?", ["tender", "other"]), live)
    experts.add(live, EMAIL, ["tender"], password=PASSWORD)
    learn.run(live, quiet, "tender", size=20)
    with reading(live) as session:
        queue = session.scalars(select(Queue)).one()
        asked = set(session.scalars(select(Task.asset_pk).where(Task.state == "open")))
    fresh = [asset.asset_id for asset in assets if asset.id not in asked][:3]
    waiting = [asset.asset_id for asset in assets if asset.id in asked][-1:]
    assert pinned.send(live, "tender", [*fresh, *waiting], "olga").queued == 4
    learn.run(live, quiet, "tender", size=20)
    with ExpertSession.login(live.label_studio_address, EMAIL, PASSWORD) as person:
        served = []
        for _ in range(4):
            found = person.next_task(queue.project)
            assert found is not None
            served.append(found["data"]["asset_id"])
            person.answer(found["id"], "tender")
    assert served == [*fresh, *waiting]
    sync.run(live, quiet)
    with reading(live) as session:
        given = select(Annotation.purpose, Task.reason).join(Task, Task.id == Annotation.task_id)
        told = session.execute(given.order_by(Annotation.answered_at)).all()
    assert [purpose for purpose, _ in told][:3] == ["seed"] * 3
    assert told[0][1] == "Chosen by olga."
    assert pinned.send(live, "tender", fresh, "olga").queued == 0
