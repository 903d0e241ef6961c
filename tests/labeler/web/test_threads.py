"""The page of a disputed image: what each role finds there, and how a revision is made of what was agreed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from attune.labeler.answers import change
from attune.labeler.records.schema import Annotation, Attribute, AttributeRevision, Comment, Expert, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories

LIST = "/attributes/romance/contested"
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def image(settings: Settings, ana: Expert) -> int:
    """The key of an image that Ana and Bo answered differently two days ago."""
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    bo = factories.add_expert(settings, "bo@example.org")
    factories.add_user(settings, bo.email, "expert", bo)
    for expert, value in ((ana, "romance"), (bo, "neither")):
        queue = factories.add_queue(settings, romance, expert)
        factories.add_answer(settings, queue, asset, value, at=now() - timedelta(days=2))
    return asset.id


@pytest.fixture
def bo(app: Flask, image: int) -> Actor:
    """Bo, logged in."""
    return Actor(app, "bo@example.org")


def test_the_list_leads_to_the_image_and_says_how_many_comments_it_has(
    expert: Actor, bo: Actor, owner: Actor, image: int
) -> None:
    assert f'href="{LIST}/{image}">Discuss<' in expert.get(LIST).text
    for actor, text in ((expert, "They hold hands."), (bo, NASTY), (owner, "See the title.")):
        reply = actor.send(f"{LIST}/{image}", text=text)
        assert reply.location == f"{LIST}/{image}#comments"
    for actor in (expert, bo, owner):
        assert ">3 comments<" in actor.get(LIST).text
        assert ">3 comments<" in actor.get("/attributes/romance").text
    page = expert.get(f"{LIST}/{image}").text
    assert "They hold hands." in page
    assert NASTY not in page
    assert "&lt;script&gt;" in page
    assert "bo@example.org" not in page
    assert "olga@example.org" not in page


def test_an_expert_whose_answer_is_fresh_finds_no_trace_of_the_thread(
    settings: Settings, expert: Actor, bo: Actor, image: int
) -> None:
    expert.send(f"{LIST}/{image}", text="They hold hands.")
    bo.send(f"{LIST}/{image}", text="They are sisters.")
    with writing(settings) as session:
        mine = select(Expert.id).where(Expert.email == "ana@example.org").scalar_subquery()
        session.execute(update(Annotation).where(Annotation.expert_id == mine).values(updated_at=now()))
    missing = expert.get(f"{LIST}/{image + 999}")
    shut = expert.get(f"{LIST}/{image}")
    assert shut.status_code == missing.status_code == 404
    assert "one day after their own answer" in shut.text
    assert expert.send(f"{LIST}/{image}", form="/account", text="I looked.").status_code == 404
    assert expert.send(f"{LIST}/{image}/comments/1/delete", form="/account").status_code == 404
    for path in (LIST, "/attributes/romance", "/", "/notices", "/attributes/romance/answers"):
        page = expert.get(path).text
        assert "sisters" not in page
        assert "comments<" not in page
        assert f'{LIST}/{image}">' not in page.replace(f'<a href="{LIST}/{image}">romance: a new comment', "")
    with reading(settings) as session:
        assert len(session.scalars(select(Comment)).all()) == 2


def test_a_comment_that_cannot_be_kept_comes_back_with_what_is_wrong(expert: Actor, image: int) -> None:
    for text, told in (("", "The comment is empty"), ("long " * 300, "1,499 characters")):
        reply = expert.send(f"{LIST}/{image}", text=text)
        assert reply.status_code == 422
        assert told in reply.text
        assert text.strip() in reply.text


def test_each_deletes_their_own_alone(settings: Settings, expert: Actor, bo: Actor, owner: Actor, image: int) -> None:
    expert.send(f"{LIST}/{image}", text="They hold hands.")
    path = f"{LIST}/{image}"
    for actor in (bo, owner):
        assert "/delete" not in actor.get(path).text
        assert actor.send(f"{path}/comments/1/delete", form=path).status_code == 404
    assert expert.send(f"{path}/comments/1/delete", form=path).status_code == 302
    assert "0 comments" in expert.get(path).text
    with reading(settings) as session:
        assert not session.scalars(select(Comment)).all()


def test_those_who_wrote_find_a_notice(expert: Actor, bo: Actor, owner: Actor, image: int) -> None:
    expert.send(f"{LIST}/{image}", text="They hold hands.")
    bo.send(f"{LIST}/{image}", text="They are sisters.")
    assert "Notices, 1 unread" in expert.get("/").text
    assert f'href="{LIST}/{image}"' in expert.get("/notices").text
    assert "unread" not in owner.get("/").text


def test_what_was_agreed_becomes_a_revision_after_a_look_at_its_effect(
    settings: Settings, expert: Actor, owner: Actor, image: int
) -> None:
    path = f"{LIST}/{image}"
    expert.send(path, text="Sisters who hug\nare neither.")
    assert "Add to definition" not in expert.get(path).text
    assert "Add to definition" in owner.get(path).text
    shown = owner.get(f"{path}/revision?place=definition&comment=1").text
    assert "What the people in the picture are to each other" in shown
    assert "Sisters who hug are neither." in shown
    assert "2 answers stay valid" in shown
    with reading(settings) as session:
        assert session.scalars(select(AttributeRevision.revision)).all() == [1], "a look changes nothing"
    sent = {"place": "definition", "sentence": "Sisters who hug are neither.", "revision": "1", "step": "make"}
    seen = {"place_seen": "definition", "sentence_seen": "Sisters who hug are neither."}
    # What was changed after the look is shown first.
    again = owner.send(f"{path}/revision", **(sent | seen | {"sentence": "Sisters are friendship."}))
    assert again.status_code == 200
    assert "Sisters are friendship." in again.text
    assert owner.send(f"{path}/revision", **(sent | seen)).location == f"{path}#comments"
    with reading(settings) as session:
        one = session.scalars(select(Attribute)).one()
        assert one.definition.endswith("would read it. Sisters who hug are neither.")
        newest = session.scalars(select(AttributeRevision).order_by(AttributeRevision.revision.desc())).first()
        assert newest is not None
        assert (newest.revision, newest.answers_hold) == (2, True)
        assert "Sisters who hug are neither." in newest.reason
        assert {"configure", "learn"} <= set(session.scalars(select(Job.kind)))
    page = expert.get(path).text
    assert "Added to the question in revision 2" in page
    assert "1 comment<" in page
    late = owner.send(f"{path}/revision", **(sent | seen))
    assert late.status_code == 422
    assert "now at revision 2" in late.text
    assert "Nothing would change" in late.text, "two clicks make one revision"


def test_an_image_becomes_an_example(settings: Settings, owner: Actor, image: int) -> None:
    path = f"{LIST}/{image}"
    shown = owner.get(f"{path}/revision?place=out_of_scope").text
    assert "Every expert sees this image as an example" in shown
    sent = {"place": "out_of_scope", "place_seen": "out_of_scope", "revision": "1", "step": "make"}
    assert owner.send(f"{path}/revision", **sent).status_code == 302
    with reading(settings) as session:
        assert len(session.scalars(select(Attribute)).one().out_of_scope) == 1
    assert "Nothing would change" in owner.get(f"{path}/revision?place=out_of_scope").text
    assert "This image does not count</a>" not in owner.get(path).text


def test_an_empty_sentence_is_told_at_the_form(owner: Actor, image: int) -> None:
    path = f"{LIST}/{image}"
    assert "alert-danger" not in owner.get(f"{path}/revision").text, "nothing is wrong before something was written"
    reply = owner.send(f"{path}/revision", form=f"{path}/revision", place="definition", sentence=" ", step="look")
    assert reply.status_code == 422
    assert "It is empty. Write what you agreed, in one sentence." in reply.text
    wrong = owner.send(f"{path}/revision", form=f"{path}/revision", place="classes", sentence="x", step="look")
    assert wrong.status_code == 422


def test_an_image_on_which_the_experts_agree_by_now_stays_on_the_page(
    settings: Settings, expert: Actor, owner: Actor, image: int
) -> None:
    expert.send(f"{LIST}/{image}", text="They hold hands.")
    assert "Agreed since" not in owner.get(LIST).text
    with writing(settings) as session:
        for annotation in session.scalars(select(Annotation)).all():
            annotation.value = "romance"
            change.remember(session, annotation, "updated", "sync")
        change.count(session, *session.scalars(select(Attribute.id)))
    page = owner.get(LIST).text
    assert "Agreed since" in page
    assert ">1 comment<" in page


def test_exports_and_the_read_api_carry_no_comments(expert: Actor, owner: Actor, image: int) -> None:
    expert.send(f"{LIST}/{image}", text="A sentence found nowhere else.")
    for path in ("labels/file", "labels/file?format=json"):
        assert "found nowhere else" not in owner.get(f"/attributes/romance/{path}").text
    for path in ("/api/v1/labels/romance", "/api/v1/attributes", "/api/v1/notices", "/api/v1/openapi.json"):
        assert "found nowhere else" not in owner.get(path).text
    assert "comment" not in owner.get("/api/v1/labels/romance").text
