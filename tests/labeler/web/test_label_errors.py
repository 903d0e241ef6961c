"""The page of suspected label errors: who sees what, and what each button does."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from attune.labeler.answers import label_errors, own_errors
from attune.labeler.labelling import take_answers, take_pages
from attune.labeler.records.schema import Annotation, Asset, ConfirmedAnswer, Expert, Job, LabelError, Pick
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.label_errors import why
from attune.models.labels.label_errors import SuspectedError
from tests.labeler.web.conftest import Actor
from tests.support import factories
from tests.support.desk import Desk
from tests.support.page_desk import PageDesk, tick

PAGE = "/attributes/romance/errors"


@pytest.fixture
def desk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Ana has answered two questions of her queue, and both answers are suspected."""
    made = Desk(settings, 4)
    monkeypatch.setattr(take_answers, "label_studio", lambda _: made.store)
    monkeypatch.setattr(own_errors, "is_shown", lambda *_: True)  # experts see all, not a half
    factories.add_user(settings, made.ana.email, "expert", made.ana)
    made.take(*(take_answers.Answer(str(uuid4()), task.key, "yes", 1.0) for task in made.tasks[:2]))
    suspect(made)
    return made


def suspect(desk: Desk) -> None:
    with writing(desk.settings) as session:
        names = [session.get_one(Asset, task.asset_pk).asset_id for task in desk.tasks[:2]]
        told = [SuspectedError(name, desk.ana.email, "yes", "no", 0.93, 0.1) for name in names]
        assert label_errors.replace(session, desk.attribute.id, 1, told) == 2


def annotations(desk: Desk) -> list[Annotation]:
    with reading(desk.settings) as session:
        return list(session.scalars(select(Annotation).order_by(Annotation.id)))


def images(page: str) -> list[str]:
    return re.findall(r'alt="(img-\d+)"', page)


def test_an_owner_reads_who_said_what_and_what_the_probe_says(owner: Actor, desk: Desk) -> None:
    page = owner.get(PAGE).text
    assert len(images(page)) == 2
    assert "Ana answered <strong>yes</strong>" in page
    assert "Probe says <strong>no</strong>, 93&nbsp;%" in page
    assert page.index("1. The probe says “no”.") < page.index("2. The probe says “no”.")
    assert "The answer is right with a probability of 10 %." in page, "what the list is sorted by"
    assert re.findall(r"<button class=\"button slim\"[^>]*>(\w+)", page) == ["Confirm", "Change", "Ask"] * 2
    assert page.count("Only Ana can change this answer.") == 2
    assert "Change to no" not in page, "an owner does not answer as somebody else"
    assert "2 answers" in page
    assert PAGE in owner.get("/attributes/romance").text


@pytest.mark.parametrize(
    ("probe", "others", "said"),
    [
        (0.93, [("Bo", "no"), ("Cy", "yes")], "The probe and Bo say “no”."),
        (0.31, [("Bo", "no")], "Bo says “no”."),
        (0.8, [(name, "no") for name in "abc"], "The probe and 3 other experts say “no”."),
        (0.31, [(name, "no") for name in "abc"], "3 other experts say “no”."),
        (0.45, [("Bo", "yes")], "The probe leans to “no”."),
    ],
)
def test_the_reason_names_who_speaks_against_the_answer(probe: float, others: list[tuple[str, str]], said: str) -> None:
    assert why("no", probe, others) == said


def test_a_list_without_answers_says_when_there_will_be_some(owner: Actor, settings: Settings) -> None:
    factories.add_attribute(settings)
    assert "No suspected label errors" in owner.get(PAGE).text
    assert PAGE not in owner.get("/attributes/romance").text


def test_confirm_takes_one_off_and_can_be_undone(owner: Actor, desk: Desk) -> None:
    first = annotations(desk)[0]
    reply = owner.send(f"{PAGE}/{first.id}/confirm", form=PAGE)
    assert reply.status_code == 302
    after = owner.get(reply.location).text
    assert len(images(after)) == 1
    assert "Undo confirmation" in after
    with reading(desk.settings) as session:
        assert session.scalars(select(ConfirmedAnswer.who)).all() == ["olga@example.org"]
    owner.send(f"{PAGE}/{first.id}/confirm", form=PAGE, undo="1")
    assert len(images(owner.get(PAGE).text)) == 2


def test_an_expert_corrects_the_own_answer_in_place(app: object, desk: Desk) -> None:
    ana = Actor(app, desk.ana.email)  # type: ignore[arg-type]
    page = ana.get(PAGE).text
    assert "You answered <strong>yes</strong>" in page
    first = annotations(desk)[0]
    sent = {"value": "no", "once": str(uuid4()), "revision": "1"}
    ana.send(f"{PAGE}/{first.id}/correct", form=PAGE, **sent)
    assert [one.value for one in annotations(desk)] == ["no", "yes"]
    assert "Your answer is now “no”" in (after := ana.get(PAGE).text)
    assert len(images(after)) == 1
    for wrong in ({"value": "maybe"}, {"once": "x"}, {"revision": "7"}):
        second = annotations(desk)[1]
        ana.send(f"{PAGE}/{second.id}/correct", form=PAGE, **(sent | {"once": str(uuid4())} | wrong))
        assert annotations(desk)[1].value == "yes"


@pytest.mark.parametrize(
    ("classes", "offered"), [(["tender", "other"], ["other"]), (["tender", "cold", "other"], [""])]
)
def test_an_answer_on_a_page_of_images_is_offered_what_the_page_can_take(
    app: object, settings: Settings, monkeypatch: pytest.MonkeyPatch, classes: list[str], offered: list[str]
) -> None:
    made = PageDesk(settings, 1, classes=classes)
    made.store.clock -= timedelta(days=2)  # an expert sees the list a day after the answer
    monkeypatch.setattr(take_pages, "label_studio", lambda _: made.store)
    monkeypatch.setattr(own_errors, "is_shown", lambda *_: True)
    factories.add_user(settings, made.ana.email, "expert", made.ana)
    made.take(tick(made.pages[0], 0, 2))
    with writing(settings) as session:
        name = session.get_one(Asset, made.pages[0].asset_pks[2]).asset_id
        told = [SuspectedError(name, made.ana.email, "tender", classes[1], 0.93, 0.1)]
        assert label_errors.replace(session, made.attribute.id, 1, told) == 1
    ana, address = Actor(app, made.ana.email), "/attributes/tender/errors"  # type: ignore[arg-type]
    page = ana.get(address).text
    assert re.findall(r'name="value" value="([^"]*)"', page) == offered
    assert ("Take my answer back" in page) == (offered == [""])
    with reading(settings) as session:
        suspected = session.scalars(select(LabelError.annotation_id)).one()
    sent = {"value": offered[0], "once": str(uuid4()), "revision": "1"}
    ana.send(f"{address}/{suspected}/correct", form=address, **sent)
    assert made.said(made.pages[0]).get(2, "") == offered[0]
    assert made.said(made.pages[0])[0] == "tender", "the others stay as they are"


def test_a_correction_without_its_number_is_a_bad_request_and_a_wrong_value_is_told(app: object, desk: Desk) -> None:
    ana, first = Actor(app, desk.ana.email), annotations(desk)[0]  # type: ignore[arg-type]
    sent = {"value": "no", "once": str(uuid4()), "revision": "1"}
    assert ana.send(f"{PAGE}/{first.id}/correct", form=PAGE, **(sent | {"once": "x"})).status_code == 400
    assert ana.send(f"{PAGE}/{first.id}/correct", form=PAGE, **(sent | {"value": "maybe"})).status_code == 302
    assert "is not an answer to romance" in ana.get(PAGE).text


def test_an_expert_is_not_told_that_audits_are_missing_here(app: object, owner: Actor, desk: Desk) -> None:
    ana = Actor(app, desk.ana.email)  # type: ignore[arg-type]
    assert "Audit answers are never on this list" in owner.get(PAGE).text
    page = ana.get(PAGE).text
    assert "never on this list" not in page
    assert "The list shows some of your own answers, chosen at random" in page


def test_nobody_corrects_or_confirms_for_somebody_else(app: object, owner: Actor, desk: Desk) -> None:
    with reading(desk.settings) as session:
        person = session.scalars(select(Expert).where(Expert.name == "Bo")).one()
    factories.add_user(desk.settings, person.email, "expert", person)
    bo = Actor(app, person.email)  # type: ignore[arg-type]
    assert images(bo.get(PAGE).text) == []
    first = annotations(desk)[0]
    sent = {"value": "no", "once": str(uuid4()), "revision": "1"}
    for who in (bo, owner):
        who.send(f"{PAGE}/{first.id}/correct", form="/account", **sent)
    bo.send(f"{PAGE}/{first.id}/confirm", form="/account")
    assert bo.send(f"{PAGE}/{first.id}/ask", form="/account", expert=person.email).status_code == 403
    assert [one.value for one in annotations(desk)] == ["yes", "yes"]
    assert len(images(owner.get(PAGE).text)) == 2


def test_asking_another_puts_the_image_into_the_other_queue_as_a_second_opinion(owner: Actor, desk: Desk) -> None:
    first = annotations(desk)[0]
    owner.send(f"{PAGE}/{first.id}/ask", form=PAGE, expert="bo@desk.example")
    with reading(desk.settings) as session:
        pick = session.scalars(select(Pick)).one()
        assert (pick.asset_pk, pick.purpose, pick.who) == (first.asset_pk, "second-opinion", "olga@example.org")
        assert session.get_one(Expert, pick.expert_id).name == "Bo"
        assert session.scalars(select(Job).where(Job.kind == "learn")).all()
    page = owner.get(PAGE).text
    assert "Waiting for Bo" in page
    assert page.count("Ask Bo") == 1, "only about the other image"
    owner.send(f"{PAGE}/{first.id}/ask", form=PAGE, expert="bo@desk.example")
    assert "already had this image" in owner.get(PAGE).text
    owner.send(f"{PAGE}/{first.id}/ask", form=PAGE, expert="nobody@desk.example")
    with reading(desk.settings) as session:
        assert len(session.scalars(select(Pick)).all()) == 1


def test_only_who_is_offered_is_asked_and_never_the_asker_who_reads_the_answers_here(app: object, desk: Desk) -> None:
    both = factories.add_expert(desk.settings, "both@desk.example")
    factories.add_queue(desk.settings, desk.attribute, both)
    factories.add_user(desk.settings, both.email, "owner", both)
    asker, first = Actor(app, both.email), annotations(desk)[0]  # type: ignore[arg-type]
    for address in (both.email, desk.ana.email, "nobody@desk.example", ""):
        asker.send(f"{PAGE}/{first.id}/ask", form=PAGE, expert=address)
        assert "cannot be asked" in asker.get(PAGE).text
    with reading(desk.settings) as session:
        assert not session.scalars(select(Pick)).all()
    asker.send(f"{PAGE}/{first.id}/ask", form=PAGE, expert="bo@desk.example")
    with reading(desk.settings) as session:
        assert len(session.scalars(select(Pick)).all()) == 1
