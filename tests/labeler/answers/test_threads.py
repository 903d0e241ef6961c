"""Threads: who may read and write one, and that nobody does before their own answer has measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from attune.labeler.answers import threads
from attune.labeler.attributes import agreed
from attune.labeler.notices import delivery, notices
from attune.labeler.people import users
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset, Attribute, Comment, Notice, Queue, Task
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import notices as bell
from attune.labeler.views.disagreements import disputed_images
from attune.labeler.views.threads import agreed as agreed_images
from attune.labeler.views.threads import thread_page
from attune.models.clock import now
from attune.models.errors import AccessError, DataError, UnknownAsset
from tests.support import databases, factories


@dataclass
class World:
    """Ana and Bo answered ``image`` differently two days ago; Olga owns, Chidi answers nothing yet."""

    settings: Settings
    attribute: Attribute
    image: int
    queues: dict[str, Queue]
    who: dict[str, Viewer] = field(default_factory=dict)

    def write(self, who: str, text: str) -> None:
        threads.write(self.settings, self.who[who], "romance", self.image, text)

    def texts(self, who: str) -> list[str]:
        return [line.text for line in thread_page(self.settings, self.who[who], "romance", self.image).lines]

    def shut(self, who: str) -> bool:
        """Whether all that ``who`` could do here is refused in the same words, and the lists show nothing."""
        with reading(self.settings) as session:
            listed = disputed_images(session, self.who[who], self.attribute.id, self.attribute.classes)
            settled = agreed_images(session, self.who[who], self.attribute)
        tries: list[Any] = [
            lambda: self.texts(who),
            lambda: self.write(who, "A look at the others."),
            lambda: threads.delete(self.settings, self.who[who], "romance", self.image, 1),
        ]
        refused = []
        for one in tries:
            try:
                one()
            except UnknownAsset as error:
                refused.append(str(error))
        assert listed.total + settled.total == 0 or not refused
        return refused == [threads.CLOSED] * len(tries)


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A workspace; its Redis is away, which stops no revision."""
    url = databases.database(request) if hasattr(request, "param") else None
    made = factories.workspace(tmp_path, redis_url="unix:///nowhere.sock", database_url=url)
    yield made
    engine(made.records_url).dispose()


@pytest.fixture
def world(settings: Settings) -> World:
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    made = World(settings, romance, asset.id, {})
    for name in ("ana", "bo", "chidi"):
        expert = factories.add_expert(settings, f"{name}@example.org")
        made.queues[name] = factories.add_queue(settings, romance, expert)
        user = factories.add_user(settings, expert.email, "expert", expert)
        made.who[name] = Viewer("expert", expert.email, expert.id, user.id)
    olga = factories.add_user(settings, "olga@example.org", "owner")
    made.who["olga"] = Viewer("owner", olga.email, None, olga.id)
    for name, value in (("ana", "romance"), ("bo", "neither")):
        factories.add_answer(settings, made.queues[name], asset, value, at=now() - timedelta(days=2))
    return made


def answer(world: World, name: str, value: str, age: timedelta) -> Annotation:
    with reading(world.settings) as session:
        asset = session.get_one(Asset, world.image)
    return factories.add_answer(world.settings, world.queues[name], asset, value, at=now() - age)


def test_those_who_answered_talk_and_each_line_has_its_author(world: World) -> None:
    world.write("ana", "  They hold hands.\r\nSo it is romance.  ")
    world.write("bo", "They are sisters.")
    world.write("olga", "Look at the title.")
    page = thread_page(world.settings, world.who["bo"], "romance", world.image)
    assert [(line.author, line.owner, line.own) for line in page.lines] == [
        ("Ana", False, False), ("Bo", False, True), ("olga", True, False),
    ]  # fmt: skip
    assert page.lines[0].text == "They hold hands.\nSo it is romance."
    assert page.sides == [("romance", ["Ana"]), ("neither", ["Bo"])]
    with reading(world.settings) as session:
        (one,) = disputed_images(session, world.who["ana"], world.attribute.id, world.attribute.classes).items
    assert one.comments == 3


@pytest.mark.parametrize("settings", databases.BOTH, indirect=True)
def test_no_thread_is_there_for_an_expert_whose_own_answer_is_missing_or_fresh(world: World) -> None:
    world.write("ana", "They hold hands.")
    assert world.shut("chidi"), "not asked"
    with reading(world.settings) as session:
        asset = session.get_one(Asset, world.image)
    factories.add_task(world.settings, world.queues["chidi"], asset, "audit")
    assert world.shut("chidi"), "asked"
    fresh = answer(world, "chidi", "friendship", timedelta(hours=23))
    assert world.shut("chidi"), "less than a day old"
    with writing(world.settings) as session:
        day_ago = now() - timedelta(days=1, minutes=1)
        session.execute(update(Annotation).where(Annotation.id == fresh.id).values(updated_at=day_ago))
    assert world.texts("chidi") == ["They hold hands."]
    with writing(world.settings) as session:
        session.execute(update(Annotation).where(Annotation.id == fresh.id).values(updated_at=now()))
    assert world.shut("chidi"), "changed, so it closes for a day"


def test_an_owner_does_not_find_the_thread_of_an_image_that_waits_for_them(world: World) -> None:
    world.write("ana", "They hold hands.")
    assert world.texts("olga") == ["They hold hands."]
    expert = factories.add_expert(world.settings, "olga@example.org")
    world.who["olga"] = Viewer("owner", expert.email, expert.id, world.who["olga"].user_id)
    queue = factories.add_queue(world.settings, world.attribute, expert)
    with reading(world.settings) as session:
        asset = session.get_one(Asset, world.image)
    task = factories.add_task(world.settings, queue, asset, "second-opinion")
    assert world.shut("olga")
    with pytest.raises(UnknownAsset):
        agreed.preview(world.settings, world.who["olga"], "romance", world.image, agreed.IN_SCOPE, "")
    with writing(world.settings) as session:
        session.get_one(Task, task.id).state = "answered"
    assert world.texts("olga") == ["They hold hands."]


@pytest.mark.parametrize("settings", databases.BOTH, indirect=True)
def test_an_image_without_a_dispute_has_no_thread_and_one_that_was_agreed_about_keeps_it(world: World) -> None:
    def corrected(value: str, age: timedelta) -> None:
        with writing(world.settings) as session:
            mine = Annotation.expert_id == world.who["bo"].expert_id
            session.execute(update(Annotation).where(mine).values(value=value, updated_at=now() - age))

    corrected("romance", timedelta(days=2))
    assert all(world.shut(who) for who in ("ana", "bo", "olga"))
    corrected("neither", timedelta(days=2))
    world.write("ana", "They hold hands.")
    corrected("romance", timedelta(hours=1))
    assert world.shut("bo"), "a day after the own change"
    assert world.texts("ana") == world.texts("olga") == ["They hold hands."]
    with reading(world.settings) as session:
        (one,) = agreed_images(session, world.who["olga"], world.attribute).items
        assert (one.picture.pk, one.comments) == (world.image, 1)
        assert agreed_images(session, world.who["chidi"], world.attribute).total == 0


def test_a_removed_image_closes_its_thread_for_all(world: World) -> None:
    world.write("ana", "They hold hands.")
    with writing(world.settings) as session:
        session.get_one(Asset, world.image).removed_at = now()
    assert all(world.shut(who) for who in world.who)


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "empty"), (" \n\t", "empty"), ("\x07\x1b", "empty"), ("a" * 1001, "1,001 characters")],
)
def test_a_comment_is_short_plain_text(world: World, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        world.write("ana", text)
    world.write("ana", "b" * 1000)
    world.write("ana", "a\x1b[31m red\ttab")
    assert world.texts("ana") == ["b" * 1000, "a[31m red tab"]


def test_the_same_comment_sent_twice_is_kept_once(world: World) -> None:
    for text in ("Sisters.", "Sisters.", "Look again.", "Sisters."):
        world.write("bo", text)
    assert world.texts("bo") == ["Sisters.", "Look again.", "Sisters."]


def test_a_token_writes_nothing_as_it_is_no_person(world: World) -> None:
    with pytest.raises(AccessError, match="API token"):
        threads.write(world.settings, Viewer("owner", "nightly"), "romance", world.image, "Hello.")


def test_a_full_thread_takes_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MOST", 2)
    for text in ("One.", "Two."):
        world.write("ana", text)
    with pytest.raises(DataError, match="2 comments"):
        world.write("bo", "Three.")
    assert thread_page(world.settings, world.who["bo"], "romance", world.image).full


def test_one_deletes_ones_own_comments_and_nobody_elses(world: World) -> None:
    world.write("ana", "They hold hands.")
    world.write("bo", "They are sisters.")

    def delete(who: str, comment: int) -> bool:
        return threads.delete(world.settings, world.who[who], "romance", world.image, comment)

    assert not delete("bo", 1)
    assert not delete("olga", 1)
    assert not delete("ana", 7)
    assert delete("ana", 1)
    assert world.texts("olga") == ["They are sisters."]
    token = Viewer("owner", "nightly")
    assert not threads.delete(world.settings, token, "romance", world.image, 2)
    # Nor by the address of another image.
    (other,) = factories.add_assets(world.settings, 1)
    for name, value in (("ana", "romance"), ("bo", "neither")):
        factories.add_answer(world.settings, world.queues[name], other, value, at=now() - timedelta(days=2))
    assert not threads.delete(world.settings, world.who["bo"], "romance", other.id, 2)


def test_a_leavers_comments_stay_with_their_name(world: World) -> None:
    world.write("bo", "They are sisters.")
    users.remove(world.settings, "bo@example.org")
    (line,) = thread_page(world.settings, world.who["ana"], "romance", world.image).lines
    assert (line.author, line.text) == ("Bo", "They are sisters.")
    world.write("ana", "Are you sure?")
    with reading(world.settings) as session:
        assert not session.scalars(select(Notice)).all(), "nobody is told who has left"


@pytest.mark.parametrize("settings", databases.BOTH, indirect=True)
def test_those_who_wrote_are_told_once_until_they_look_and_the_notice_says_nothing_of_what_was_written(
    world: World,
) -> None:
    def unread() -> dict[str, int]:
        return {name: bell.unread(world.settings, who) for name, who in world.who.items()}

    world.write("ana", "They hold hands.")
    assert unread() == {"ana": 0, "bo": 0, "chidi": 0, "olga": 0}
    world.write("bo", "They are sisters.")
    world.write("bo", "See the names in the title.")
    assert unread() == {"ana": 1, "bo": 0, "chidi": 0, "olga": 0}
    world.write("olga", "I agree.")
    assert unread() == {"ana": 1, "bo": 1, "chidi": 0, "olga": 0}
    notices.mark(world.settings, world.who["ana"])
    world.write("bo", "So it is neither.")
    assert unread() == {"ana": 1, "bo": 1, "chidi": 0, "olga": 1}
    other = Viewer("owner", "oskar@example.org", None, 99)
    assert bell.unread(world.settings, other) == bell.unread(world.settings, Viewer("owner", "nightly")) == 0
    with reading(world.settings) as session:
        rows = session.scalars(select(Notice)).all()
    for row in rows:
        assert row.link == f"/attributes/romance/contested/{world.image}"
        assert not any(word in f"{row.title} {row.text}" for word in ("Bo", "Ana", "olga", "sisters", "img-", "hands"))
    assert [delivery.receivers(world.settings, row) for row in rows[:2]] == [["ana@example.org"], ["bo@example.org"]]


def test_a_persons_notice_goes_by_mail_and_by_no_webhook(world: World) -> None:
    mail_and_webhook = {"smtp_url": "smtp://127.0.0.1:9", "notify_webhook_url": "http://127.0.0.1:9"}
    world.settings = replace(world.settings, **mail_and_webhook)  # type: ignore[arg-type]
    for who in ("ana", "bo"):
        world.write(who, "Look again.")
    with reading(world.settings) as session:
        assert list(session.scalars(select(Notice)).one().sent) == ["mail"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "Sisters are neither."),
        ("As a stranger would read it.", "As a stranger would read it. Sisters are neither."),
        ("As a stranger would read it", "As a stranger would read it. Sisters are neither."),
    ],
)
def test_a_sentence_is_appended_to_the_definition(world: World, before: str, after: str) -> None:
    with writing(world.settings) as session:
        session.get_one(Attribute, world.attribute.id).definition = before
    arguments = ("romance", world.image, agreed.DEFINITION, " Sisters are\nneither. ")
    found = agreed.preview(world.settings, world.who["olga"], *arguments)
    assert (found.changed, found.effect.kept, found.effect.ended) == (("definition",), 2, {})
    assert agreed.add(world.settings, world.who["olga"], *arguments, expected_revision=1) == 2
    with reading(world.settings) as session:
        assert session.get_one(Attribute, world.attribute.id).definition == after
        line = session.scalars(select(Comment)).one()
    assert (line.revision, line.text) == (2, "Sisters are neither.")
    assert not threads.delete(world.settings, world.who["olga"], "romance", world.image, line.id)


def test_an_image_becomes_an_example_of_one_kind(world: World) -> None:
    def lists() -> tuple[list[str], list[str]]:
        with reading(world.settings) as session:
            row = session.get_one(Attribute, world.attribute.id)
            return list(row.in_scope), list(row.out_of_scope)

    with reading(world.settings) as session:
        name = session.get_one(Asset, world.image).asset_id
    arguments = (world.settings, world.who["olga"], "romance", world.image)
    agreed.add(*arguments, agreed.IN_SCOPE, "", 1)
    assert lists() == ([name], [])
    assert agreed.preview(*arguments, agreed.IN_SCOPE, "").changed == ()
    with pytest.raises(DataError, match="already"):
        agreed.add(*arguments, agreed.IN_SCOPE, "", 2)
    agreed.add(*arguments, agreed.OUT_OF_SCOPE, "", 2)
    assert lists() == ([], [name])


@pytest.mark.parametrize(
    ("place", "sentence"), [("classes", "x"), ("", "x"), ("definition", " "), ("definition", "x" * 1001)]
)
def test_what_cannot_be_added_is_refused(world: World, place: str, sentence: str) -> None:
    with pytest.raises(DataError):
        agreed.preview(world.settings, world.who["olga"], "romance", world.image, place, sentence)
