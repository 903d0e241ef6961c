"""Revisions: how answers read after renames, additions and removals, and what of them is kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from attune.labeler.answers import annotation_values, ingest
from attune.labeler.answers.annotation_values import ReadAnnotation
from attune.labeler.answers.reading_order import of_now
from attune.labeler.attributes import attributes, revise_attribute, revisions
from attune.labeler.attributes.revise_attribute import Revised
from attune.labeler.attributes.revisions import ALL, NONE
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import quiet
from attune.labeler.label_studio import members, projects
from attune.labeler.label_studio.projects import Project
from attune.labeler.records.schema import Annotation, AnnotationEvent, Attribute, AttributeRevision, Job, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, secrets
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError, LabelStudioRefused
from attune.models.labels.answers import SKIP, UNSURE
from tests.support import factories

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
CLASSES = st.lists(NAMES, min_size=2, max_size=5, unique=True)


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[list[str], list[str], dict[str, str], Any]]:
    """A chain of revisions: (classes before, classes after, into, hold)."""
    chain, before = [], draw(CLASSES)
    for _ in range(draw(st.integers(1, 5))):
        after = draw(CLASSES)
        into = draw(st.dictionaries(st.sampled_from(before), st.sampled_from(after), max_size=3))
        hold = draw(st.one_of(st.just(ALL), st.just(NONE), st.lists(st.sampled_from([*before, UNSURE]), unique=True)))
        chain.append((before, after, into, hold))
        before = after
    return chain


@given(steps())
def test_every_answer_ends_as_a_class_of_today_or_is_told_to_hold_no_longer(chain: Any) -> None:
    readings = [revisions.reading(*step) for step in chain]
    for value in [*chain[0][0], UNSURE, SKIP]:
        said = revisions.read(value, readings)
        assert said is None or said in [*chain[-1][1], UNSURE, SKIP]
        assert (said == SKIP) == (value == SKIP)


@given(steps())
def test_a_chain_composes_into_one_reading_wherever_it_is_cut(chain: Any) -> None:
    readings = [revisions.reading(*step) for step in chain]
    whole: dict[str, str | None] = {}
    for one in readings:
        whole = revisions.composed(whole, one)
    for value in [*chain[0][0], UNSURE]:
        assert revisions.read(value, [whole]) == revisions.read(value, readings)


@given(CLASSES, st.permutations(["u", "v", "w", "x", "y"]))
def test_renames_lose_nothing_and_lead_back(before: list[str], names: list[str]) -> None:
    after = names[: len(before)]
    there = revisions.reading(before, after, dict(zip(before, after, strict=True)))
    back = revisions.reading(after, before, dict(zip(after, before, strict=True)))
    assert [revisions.read(value, [there]) for value in before] == after
    assert all(revisions.read(value, [there, back]) == value for value in [*before, UNSURE, SKIP])


@given(CLASSES)
def test_a_change_of_words_alone_changes_no_answer(classes: list[str]) -> None:
    assert revisions.reading(classes, classes) == {}


@pytest.mark.parametrize(
    ("into", "hold", "says"),
    [
        ({"x": "a"}, ALL, "'x' is not an earlier class"),
        ({"a": "x"}, ALL, "'a' cannot become 'x'"),
        ({}, ["x"], "'x' is not an earlier class. Use all, none"),
    ],
)
def test_a_class_that_is_not_there_is_named(into: dict[str, str], hold: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        revisions.reading(["a", "b"], ["a", "b", "c"], into, hold)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A workspace; its Redis is away, which stops no revision."""
    return factories.workspace(tmp_path, redis_url="unix:///nowhere.sock")


@pytest.fixture
def queue(settings: Settings) -> Queue:
    """Ana's queue for romance, with one answer of each class, an unsure one and a skip."""
    queue = factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))
    said = ["romance", "friendship", "neither", UNSURE, SKIP]
    for asset, value in zip(factories.add_assets(settings, 5), said, strict=True):
        factories.add_answer(settings, queue, asset, value)
    return queue


def revise(settings: Settings, reason: str = "Better so.", **change: Any) -> Revised:
    """Revise romance; ``into``, ``kept_classes`` and ``expected_revision`` as in ``revising.revise``."""
    told = {key: change.pop(key) for key in ("into", "kept_classes", "expected_revision") if key in change}
    with reading(settings) as session:
        held = revise_attribute.definition_of(attributes.find(session, "romance"))
    return revise_attribute.revise(settings, replace(held, **change), reason, **told)


def living(settings: Settings) -> list[str]:
    """The values that count, in the order of asking."""
    with reading(settings) as session:
        return list(
            session.scalars(select(Annotation.value).where(Annotation.deleted_at.is_(None)).order_by(Annotation.id))
        )


def test_a_wording_change_keeps_all_answers_and_asks_for_a_new_round(settings: Settings, queue: Queue) -> None:
    done = revise(settings, definition="Something else.", positive=["two people kissing"])
    assert (done.revision, done.changed, done.effect.kept) == (2, ("definition", "positive"), 4)
    assert living(settings) == ["romance", "friendship", "neither", UNSURE, SKIP]
    with reading(settings) as session:
        found = attributes.find(session, "romance")
        assert (found.revision, found.definition, found.prompts["positive"]) == (
            2,
            "Something else.",
            ["two people kissing"],
        )
        assert found.answers_counter > found.learned_counter
        assert {job.kind for job in session.scalars(select(Job))} == {"configure", "learn"}
        assert [said.reason for said in revisions.history(session, found)] == ["", "Better so."]


def test_a_rename_reads_the_answers_anew_with_their_history_and_composes(settings: Settings, queue: Queue) -> None:
    done = revise(settings, classes=["love", "friendship", "neither"], into={"romance": "love"})
    assert done.effect.renamed == {"romance": ("love", 1)}
    swapped = {"love": "friendship", "friendship": "love"}
    revise(settings, classes=["friendship", "love", "neither"], into=swapped)
    assert living(settings) == ["friendship", "love", "neither", UNSURE, SKIP]
    with reading(settings) as session:
        first = session.scalars(select(Annotation).order_by(Annotation.id)).first()
        events = session.scalars(
            select(AnnotationEvent.value).where(AnnotationEvent.annotation_id == first.id).order_by(AnnotationEvent.id)
        )
        assert list(events) == ["romance", "love", "friendship"]


@pytest.mark.parametrize(("into", "left"), [({}, 4), ({"friendship": "neither"}, 5)])
def test_a_removed_classs_answers_end_or_go_to_another_class(
    settings: Settings, queue: Queue, into: dict[str, str], left: int
) -> None:
    done = revise(settings, classes=["romance", "neither"], into=into)
    assert len(living(settings)) == left
    assert done.effect.ended == ({} if into else {"friendship": 1})
    with reading(settings) as session:
        assert len(session.scalars(select(Annotation)).all()) == 5
        states = list(session.scalars(select(Task.state).order_by(Task.id)))
        assert states[1] == ("answered" if into else "retired")


def test_an_added_class_leaves_it_to_the_owner_whose_answers_hold(settings: Settings, queue: Queue) -> None:
    wider = ["romance", "friendship", "family", "neither"]
    done = revise(settings, classes=wider, kept_classes=["romance", "friendship"])
    assert living(settings) == ["romance", "friendship", SKIP]
    assert done.effect.ended == {"neither": 1, UNSURE: 1}
    revise(settings, question="Who are they?", kept_classes=NONE)
    assert living(settings) == [SKIP]
    with reading(settings) as session:
        newest = select(AttributeRevision.answers_hold).order_by(AttributeRevision.revision)
        assert list(session.scalars(newest)) == [True, True, False]


@pytest.mark.parametrize(
    ("reason", "change", "error", "says"),
    [
        (" ", {"question": "Else?"}, DataError, "reason: it is empty"),
        ("Why.", {}, DataError, "Nothing was changed"),
        (
            "Why.",
            {"question": "Else?", "expected_revision": 7},
            AlreadyThere,
            r"revision 1\b.* revision 7\b.*attune attribute revisions",
        ),
        ("Why.", {"classes": ["romance"]}, DataError, "classes: got 'romance'. At least 2"),
        ("Why.", {"classes": ["romance", "x"], "into": {"love": "x"}}, DataError, "'love' is not an earlier class"),
    ],
)
def test_a_revision_that_cannot_be_is_refused_and_changes_nothing(
    settings: Settings, queue: Queue, reason: str, change: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        revise(settings, reason, **change)
    with reading(settings) as session:
        assert attributes.find(session, "romance").revision == 1


def told(
    queue: Queue, asset_id: str, value: str, at: Any, number: int = 9_000_001, task: int = 9_000_001, given: Any = None
) -> ReadAnnotation:
    """An annotation as Label Studio tells it."""
    return ReadAnnotation(number, task, asset_id, value, 9_000_000, given or at, at, 1.0, author="ana@example.org")


def test_an_answer_of_before_that_arrives_late_is_read_as_the_revisions_say(settings: Settings, queue: Queue) -> None:
    early = now() - timedelta(seconds=1)
    revise(settings, classes=["love", "friendship"], into={"romance": "love"})
    assets = factories.add_assets(settings, 3)
    said = [("romance", early), ("neither", early), ("romance", now() + timedelta(seconds=5))]  # the last: a stale page
    with writing(settings) as session:
        assert revisions.every_class(session, queue.attribute_id) == ["love", "friendship", "romance", "neither"]
        for number, ((value, at), asset) in enumerate(zip(said, assets, strict=True)):
            seen = told(queue, asset.asset_id, value, at, 9_000_000 + number, 9_000_000 + number)
            ingest.store(session, queue, seen, of_now(session))
            ingest.store(session, queue, seen, of_now(session))
    assert living(settings) == ["love", "friendship", UNSURE, SKIP, "love", "love"]
    with reading(settings) as session:
        late = session.scalars(select(Annotation).where(Annotation.label_studio_id == 9_000_001)).one()
        assert (late.value, late.deleted_at is not None) == ("neither", True)  # held no longer, and not lost


class Page:
    """Label Studio's page of a queue, which follows a revision when `configure` gets there."""

    def __init__(self, settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings, self.queue = settings, queue
        self._numbers = count(9_100_000)
        self.refuses = False

        def update(*_: Any) -> None:
            if self.refuses:
                raise LabelStudioRefused("Label Studio refuses the question.", 400)

        monkeypatch.setattr(revise_attribute.LabelStudio, "connect", lambda _: nullcontext())
        monkeypatch.setattr(projects, "update", update)
        monkeypatch.setattr(members, "set_members", lambda *_: None)

    def configure(self) -> None:
        """Bring the page to the newest question."""
        revise_attribute.configure(self.settings, quiet, "romance")

    def answer(
        self, value: str, at: datetime, seconds: float, says: int | None = None, known: ReadAnnotation | None = None
    ) -> ReadAnnotation:
        """An answer sent at ``at`` after a look of ``seconds``, read; ``says``: the revision that the page names."""
        asset = known.asset_id if known else factories.add_assets(self.settings, 1)[0].asset_id
        number = known.label_studio_id if known else next(self._numbers)
        given = known.answered_at if known else at
        seen = replace(told(self.queue, asset, value, at, number, number, given), lead_seconds=seconds)
        with writing(self.settings) as session:
            ingest.store(session, session.get_one(Queue, self.queue.id), seen, of_now(session), says)
        return seen

    def value(self, seen: ReadAnnotation) -> tuple[str, bool]:
        """What the records have of an answer: its value, and whether it counts."""
        with reading(self.settings) as session:
            mine = select(Annotation).where(Annotation.label_studio_id == seen.label_studio_id)
            one = session.scalars(mine).one()
            return one.value, one.deleted_at is None


@pytest.fixture
def page(settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(settings, queue, monkeypatch)


TURNED = {"romance": "neither", "neither": "romance"}


def test_an_answer_belongs_to_the_question_that_its_page_showed(page: Page) -> None:
    """Turned round, the question makes a yes of a no: what the expert saw counts."""
    revise(page.settings, question="Are they not in love?", into=TURNED)
    before = page.answer("romance", now(), 1.0)
    assert page.value(before) == ("neither", True), "the page of before, after the revision"
    page.configure()
    opened_before = page.answer("romance", now() + timedelta(seconds=5), 60.0)
    opened_after = page.answer("romance", now() + timedelta(seconds=65), 60.0)
    assert (page.value(opened_before), page.value(opened_after)) == (("neither", True), ("romance", True))
    page.answer("romance", opened_before.updated_at, 60.0, known=opened_before)
    assert page.value(opened_before) == ("neither", True), "read once more"


def test_a_correction_belongs_to_the_question_that_it_was_made_on(page: Page) -> None:
    """Label Studio adds the times of all looks up: the first look of an hour was on the page of before."""
    first = page.answer("romance", now(), 3600.0)
    revise(page.settings, question="Are they not in love?", into=TURNED)
    page.configure()
    assert page.value(first) == ("neither", True)
    page.answer("romance", now() + timedelta(seconds=30), 3605.0, known=first)
    assert page.value(first) == ("romance", True)


def test_the_look_of_a_second_correction_is_without_that_of_the_first(page: Page) -> None:
    first = page.answer("romance", now(), 3600.0)
    page.answer("neither", now() + timedelta(seconds=5), 3800.0, says=1, known=first)
    revise(page.settings, question="Are they not in love?", into=TURNED)
    page.configure()
    page.answer("romance", now() + timedelta(seconds=30), 3805.0, known=first)
    assert page.value(first) == ("romance", True)


def test_a_page_that_label_studio_keeps_from_changing_answers_its_own_question(page: Page) -> None:
    revise(page.settings, question="Are they not in love?", into=TURNED)
    page.refuses = True
    with pytest.raises(LabelStudioRefused):
        page.configure()
    assert page.value(page.answer("romance", now() + timedelta(minutes=9), 1.0)) == ("neither", True)
    revise(page.settings, question="Are they friends?", kept_classes=NONE)
    assert page.value(page.answer("romance", now() + timedelta(minutes=9), 1.0)) == ("romance", False)
    page.refuses = False
    page.configure()
    assert page.value(page.answer("romance", now() + timedelta(minutes=9), 1.0)) == ("romance", True)
    with reading(page.settings) as session:
        assert [revision for revision, _ in session.get_one(Queue, page.queue.id).shown] == [1, 3]


def test_a_page_that_says_its_revision_is_believed(page: Page) -> None:
    revise(page.settings, question="Are they not in love?", into=TURNED)
    says = page.answer("romance", now(), 1.0, says=2)
    assert page.value(says) == ("romance", True)
    page.answer("romance", says.updated_at, 1.0, known=says)  # a reading of Label Studio, which does not say it
    assert page.value(says) == ("romance", True)


def test_an_answer_that_ended_counts_again_when_its_expert_corrects_it(page: Page) -> None:
    settings, queue = page.settings, page.queue
    revise(settings, question="Are they in love?", kept_classes=NONE)
    page.configure()
    with reading(settings) as session:
        first = session.scalars(select(Annotation).order_by(Annotation.id)).first()
        asset = first.asset.asset_id
    seen = told(
        queue, asset, "neither", now() + timedelta(seconds=9), first.label_studio_id, first.label_studio_task or 0,
        first.answered_at,
    )  # fmt: skip
    with writing(settings) as session:
        assert ingest.store(session, queue, seen, of_now(session))
        assert not ingest.store(session, queue, seen, of_now(session))
    assert living(settings) == ["neither", SKIP]
    from attune.labeler.answers.totals import count

    with reading(settings) as session:
        found = attributes.find(session, "romance")
        assert count(session, {found.id: found.classes})[found.id].answers == 1


def test_a_value_that_no_revision_had_is_refused(settings: Settings, queue: Queue) -> None:
    revise(settings, classes=["love", "friendship", "neither"], into={"romance": "love"})
    annotation = {
        "id": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "result": [{"from_name": "label", "value": {"choices": ["hatred"]}}],
    }
    with reading(settings) as session:
        classes = revisions.every_class(session, queue.attribute_id)
    read = annotation_values.read(annotation, 1, {"asset_id": "x"}, classes)
    assert (read.value, read.wrong) == ("hatred", annotation_values.UNKNOWN_CLASS)


@pytest.mark.parametrize(
    ("classes", "into", "comparable"),
    [
        (["romance", "friendship", "neither"], {}, True),
        (["love", "friendship", "neither"], {"romance": "love"}, True),
        (["romance", "neither"], {}, False),
        (["neither", "friendship", "romance"], {}, False),
    ],
)
def test_probes_are_compared_only_while_their_classes_mean_the_same(
    settings: Settings, queue: Queue, classes: Sequence[str], into: dict[str, str], comparable: bool
) -> None:
    revise(settings, classes=list(classes), definition="Else.", into=into)
    with reading(settings) as session:
        found = attributes.find(session, "romance")
        why = revisions.incomparable(session, found, 1)
        assert (why is None) == comparable
        assert revisions.comparable_since(session, found) == (1 if comparable else 2)
        if why:
            assert "its classes are romance, friendship, neither (revision 1)" in why


def test_every_attribute_notes_a_change_of_encoder_and_keeps_its_answers(settings: Settings, queue: Queue) -> None:
    with writing(settings) as session:
        assert revise_attribute.note_encoder(session, "ViT-B-32", "ViT-L-14") == ["romance"]
    with reading(settings) as session:
        found = session.scalars(select(Attribute)).one()
        first, second = revisions.history(session, found)
        assert revisions.difference(first, second) == [("encoder", None, "ViT-L-14")]
    assert len(living(settings)) == 5


def test_killed_right_after_a_revision_label_studio_is_told_of_it_all_the_same(
    settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "hand_over", killed)
    with pytest.raises(KeyboardInterrupt):
        revise(settings, definition="Something else.")
    with reading(settings) as session:
        assert attributes.find(session, "romance").revision == 2
        job = session.scalars(select(Job)).one()
    # As requeue_lost and retry_failed of the clockwork look for it.
    assert (job.kind, job.state, job.arguments) == ("configure", "queued", {"attribute": "romance"})


def test_a_queue_that_label_studio_refuses_to_change_holds_up_no_other(
    settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One odd answer of one expert kept the question of before in every queue that came later."""
    with reading(settings) as session:
        romance = attributes.find(session, "romance")
    later = factories.add_queue(settings, romance, factories.add_expert(settings, "zoe@example.org"))
    written: list[int] = []

    def refusing(_ls: object, project: Project, *_: object) -> None:
        if project.id == queue.project:
            raise LabelStudioRefused("Created annotations are incompatible with provided labeling schema", 400)
        written.append(project.id)

    monkeypatch.setattr(projects, "update", refusing)
    revise(settings, question="The newer?")
    secrets.load(settings.secrets)
    with pytest.raises(LabelStudioRefused, match=r"the queue of ana@example\.org still asks the question of before"):
        revise_attribute.configure(replace(settings, label_studio_token="t" * 40), quiet, "romance")
    assert written == [later.project]


def test_of_two_revisions_label_studio_is_left_with_the_newer(
    settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def slow(ls: object, project: object, question: str, *_: object) -> None:
        written.append(question)
        if len(written) == 1:  # meanwhile the question changes once more, and another worker is done with it
            revise(settings, question="The newer?")

    monkeypatch.setattr(projects, "update", slow)
    revise(settings, question="The older?")
    secrets.load(settings.secrets)
    assert revise_attribute.configure(replace(settings, label_studio_token="t" * 40), quiet, "romance")["revision"] == 3
    assert written == ["The older?", "The newer?"]
