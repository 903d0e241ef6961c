"""Notices: each event told once, to those whom it concerns, and an expert never told what a model thinks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.notices import gate_rules, notices, rules
from attune.labeler.notices.notices import News
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Notice, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import notices as seen
from attune.models.clock import now
from attune.models.errors import RecordsError
from tests.labeler.catalog import judged
from tests.support import factories

LONG_AGO = now() - timedelta(days=10)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path)


def told(settings: Settings) -> list[tuple[str, str]]:
    with reading(settings) as session:
        return [(one.kind, one.title) for one in session.query(Notice).order_by(Notice.id)]


def test_each_event_is_told_once(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    settled = {"state": "settled", "advice": "More answers would hardly change this probe."}
    run = factories.add_run(settings, romance, 80, 0.8, advice=settled)
    factories.publish(settings, run)
    version = factories.publish(settings, factories.add_run(settings, romance, 90, 0.8, advice=settled))
    for _ in range(2):
        factories.add_job(settings, "learn", "failed", subject="romance", error="No disk left.", finished_at=now())
    factories.add_job(settings, "embed", "failed", error="Old.", finished_at=LONG_AGO)
    with writing(settings) as session:
        row = session.get_one(Version, version.id)
        row.scores = {"drift": {"alarm": {"at": "", "classes": ["romance"], "n": 150}}}
    assert rules.watch(settings) == 5
    assert rules.watch(settings) == 0
    assert told(settings) == [
        ("settled", "romance has settled"),
        ("published", "romance version 1 was published as champion"),
        ("published", "romance version 2 was published as champion"),
        ("drift", "romance: drift since version 2"),
        ("job failed", "Learning run of romance failed"),
    ]


@pytest.mark.parametrize(
    ("said", "title", "link"),
    [
        (
            {"state": "settled", "differs": "gus@example.org", "beside_probe": {"sentence": "On audits he says no."}},
            "romance: one expert disagrees with the others",
            "/attributes/romance/results#h-done",
        ),
        ({"state": "hopeless"}, "romance: the experts disagree too much", "/attributes/romance/contested"),
    ],
)
def test_disagreement_is_told_to_those_who_manage_once_a_revision(
    settings: Settings, said: dict[str, object], title: str, link: str
) -> None:
    """A newcomer saw that one expert guessed only by opening the attribute's page and reading down."""
    romance = factories.add_attribute(settings)
    ana = factories.add_expert(settings)
    factories.add_run(settings, romance, 80, 0.8, advice={"state": "labelling", "advice": "Go on."})
    assert rules.watch(settings) == 0
    for labels in (90, 100):
        factories.add_run(settings, romance, labels, 0.8, advice={"advice": "Pause.", **said})
        rules.watch(settings)
    assert [one for one in told(settings) if one[0] == "disagreement"] == [("disagreement", title)]
    (one,) = [
        one for one in seen.notices(settings, Viewer("owner", "olga", None, 2)).items if one.kind == "disagreement"
    ]
    assert one.link == link
    assert ("gus@example.org" in one.text) == ("differs" in said)
    assert "gus" not in one.title
    assert not seen.notices(settings, Viewer("expert", "ana", ana.id, 1)).items
    with writing(settings) as session:
        session.get_one(type(romance), romance.id).revision = 2
        session.query(Notice).delete()
    assert rules.watch(settings) == 0, "the newest run is of the revision before"


def test_a_stalled_queue_is_told_to_managers_and_to_its_expert_in_words_of_their_own(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    factories.add_run(settings, romance, 20, 0.77)
    ana, bo = (factories.add_expert(settings, f"{name}@example.org") for name in ("ana", "bo"))
    queues = [factories.add_queue(settings, romance, one) for one in (ana, bo)]
    one, two, three = factories.add_assets(settings, 3)
    for queue in queues:
        with writing(settings) as session:
            session.get_one(type(queue), queue.id).created_at = LONG_AGO
    factories.add_task(settings, queues[0], one, "audit")
    factories.add_task(settings, queues[1], two)
    factories.add_answer(settings, queues[1], three, "neither", at=now())
    rules.watch(settings)
    assert told(settings) == [("waiting", "1 image waits for you")]  # bo answered today, so romance is alive
    with writing(settings) as session:
        for row in session.query(Notice):
            session.delete(row)
        from attune.labeler.records.schema import Annotation

        session.query(Annotation).one().received_at = now() - timedelta(days=4)
    rules.watch(settings)
    assert sorted(kind for kind, _ in told(settings)) == ["stalled", "waiting", "waiting"]
    mine = seen.notices(settings, Viewer("expert", "ana", ana.id, 1)).items
    assert [one.title for one in mine] == ["1 image waits for you"]
    for words in (f"{one.title} {one.text}" for one in mine):
        assert not any(secret in words for secret in ("0.77", "audit", "img-", "borderline", "probe"))
    assert {one.kind for one in seen.notices(settings, Viewer("owner", "olga", None, 2)).items} == {"stalled"}


def test_an_empty_queue_is_told_while_the_pool_has_more(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    (asset,) = factories.add_assets(settings, 1)
    factories.add_answer(settings, queue, asset, "neither", at=LONG_AGO)
    rules.watch(settings)
    assert told(settings) == []  # a moment after its making, and everything was asked
    factories.add_assets(settings, 1)
    with writing(settings) as session:
        session.get_one(type(queue), queue.id).created_at = LONG_AGO
    rules.watch(settings)
    assert told(settings) == [("empty queue", "romance: an expert's queue is empty")]
    factories.add_task(settings, queue, factories.add_assets(settings, 1)[0])
    assert rules.watch(settings) <= 2
    assert [kind for kind, _ in told(settings)].count("empty queue") == 1


def test_a_candidate_that_passes_the_gates_is_told_once_for_each_champion(tmp_path: Path) -> None:
    settings = judged.filled(tmp_path / "workspace")
    assert "serious" in gate_rules.candidates_to_judge(settings)
    with writing(settings) as session:
        attribute = session.query(gate_rules.Attribute).filter_by(name="serious").one()
        bounds = {"audit_lower_bound": {"bound": 0.99}}
        attribute.settings = attribute.settings | {"gates": bounds}
    assert gate_rules.judge(settings, "serious") == 0
    with writing(settings) as session:
        attribute = session.query(gate_rules.Attribute).filter_by(name="serious").one()
        attribute.settings = attribute.settings | {"gates": {"agreement": {"bound": 0.0}, "calibration": {"bound": 1}}}
    assert gate_rules.judge(settings, "serious") == 1
    assert gate_rules.judge(settings, "serious") == 0
    assert "serious" not in gate_rules.candidates_to_judge(settings)
    assert told(settings) == [("gates passed", "serious: new version 4 passes the gates")]


def test_a_run_that_an_owner_passed_over_is_not_recommended(tmp_path: Path) -> None:
    settings = judged.filled(tmp_path / "workspace")
    assert "serious" in gate_rules.candidates_to_judge(settings)
    promote(settings, Move("serious", 1, "The first is the one.", "olga@example.org"))
    assert "serious" not in gate_rules.candidates_to_judge(settings)
    assert gate_rules.judge(settings, "serious") == 0
    assert told(settings) == []


def test_a_login_marks_its_own_notices_and_nobody_elses(settings: Settings) -> None:
    ana = factories.add_expert(settings)
    people = [factories.add_user(settings, f"{name}@example.org", "owner") for name in ("olga", "oskar")]
    expert = factories.add_user(settings, "ana@example.org", "expert", ana)
    notices.record_news(settings, [News(f"k{i}", "drift", f"t{i}", "", "/") for i in range(3)])
    notices.record_news(settings, [News("own", "waiting", "for ana", "", "/", expert=ana.id)])
    olga, oskar = (Viewer("owner", one.email, None, one.id) for one in people)
    mine = Viewer("expert", "ana", ana.id, expert.id)
    first = seen.notices(settings, olga).items[-1].id
    assert notices.mark(settings, olga, first) == 1
    assert notices.mark(settings, olga, first) == 0
    assert [seen.unread(settings, who) for who in (olga, oskar, mine)] == [2, 3, 1]
    with pytest.raises(RecordsError, match=f"Notice {first}"):
        notices.mark(settings, mine, first)
    assert notices.mark(settings, oskar) == 3
    assert [seen.unread(settings, who) for who in (olga, oskar, mine)] == [2, 0, 1]
