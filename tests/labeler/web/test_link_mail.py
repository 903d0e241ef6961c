"""Personal links by mail, through a real mail server: to their person alone, once, and never into a log or a record."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import text

from attune.labeler.answers import ingest
from attune.labeler.notices import send_in_time
from attune.labeler.people import login_links
from attune.labeler.records.schema import Attribute, Base, Expert, SignInLink
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories
from tests.support.mail import Post, mail_server

LINK = re.compile(r"https?://[^/\s]+(/welcome/[\w-]+(?:\?next=[\w/-]+)?)")


@pytest.fixture
def post() -> Iterator[tuple[Post, str]]:
    with mail_server() as made:
        yield made


@pytest.fixture
def app(settings: Settings, post: tuple[Post, str], monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The console of a workspace whose mail server is set."""
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    return create_app(replace(settings, smtp_url=post[1], notify_from="attune@studio.example"))


def letters(post: tuple[Post, str]) -> list[tuple[str, str, str]]:
    """To whom, the subject, and the link of each mail."""
    found = []
    for to, letter in post[0].got:
        body = letter.get_payload(decode=True).decode()
        found.append((to, letter["Subject"], (LINK.search(body) or [""])[0]))
    return found


def everything(settings: Settings) -> str:
    """All that the records hold."""
    with reading(settings) as session:
        tables = Base.metadata.sorted_tables
        return "".join(str(session.execute(text(f"SELECT * FROM {table.name}")).all()) for table in tables)


def ours(caplog: pytest.LogCaptureFixture) -> str:
    """What was logged in this process, by others than the mail server that it is tested with."""
    assert any(record.name == "attune.web" for record in caplog.records)
    return "".join(record.getMessage() for record in caplog.records if record.name != "mail.log")


def test_an_invitation_goes_by_mail_and_is_shown_for_copying(
    settings: Settings, app: Flask, owner: Actor, post: tuple[Post, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = owner.client.post(
        "/people/new", data={"csrf_token": _token(owner, "/people/new"), "email": "mia@example.org", "role": "expert"}
    ).text
    ((to, subject, link),) = letters(post)
    assert (to, subject) == ("mia@example.org", "Attune: your login link")
    assert link in page, "the same link, as a newer one would end it"
    assert "Sent to mia@example.org by email" in page
    secret = link.rpartition("/")[2]
    visitor = Actor(app)
    path = LINK.fullmatch(link).group(1)
    assert "Log in as mia@example.org" in visitor.get(path).text
    assert visitor.send(path).headers["Location"] == "/account"
    assert Actor(app).get(path).status_code == 410, "a link works once"
    assert secret not in ours(caplog)
    assert secret not in everything(settings)


def test_asking_for_answers_leads_its_person_to_the_next_image_once(
    settings: Settings, app: Flask, owner: Actor, ana: Expert, romance: Attribute, post: tuple[Post, str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    factories.add_user(settings, ana.email, "expert", ana)
    queue = factories.add_queue(settings, romance, ana)
    for asset in factories.add_assets(settings, 2):
        factories.add_task(settings, queue, asset)
    page = _ask(owner, ana.email)
    ((to, subject, link),) = letters(post)
    body = post[0].got[0][1].get_payload(decode=True).decode()
    assert (to, subject) == (ana.email, "Attune: please answer more images")
    assert link.endswith("?next=/attributes/romance/label")
    assert link in page
    assert romance.question in body
    assert "2 images wait for you" in body
    assert "img-" not in body
    visitor, path = Actor(app), LINK.fullmatch(link).group(1)
    assert "the next image is there" in visitor.get(path).text
    assert visitor.send(path).headers["Location"] == "/attributes/romance/label"
    assert visitor.get("/attributes/romance/label").status_code == 200
    assert Actor(app).get(path).status_code == 410
    secret = re.search(r"/welcome/([\w-]+)", link).group(1)
    assert secret not in ours(caplog)
    assert secret not in everything(settings)


def test_a_mailed_link_expires_and_a_newer_one_ends_it(
    settings: Settings, app: Flask, owner: Actor, ana: Expert, romance: Attribute, post: tuple[Post, str]
) -> None:
    factories.add_user(settings, ana.email, "expert", ana)
    factories.add_queue(settings, romance, ana)
    _ask(owner, ana.email)
    _ask(owner, ana.email)
    old, new = (LINK.fullmatch(link).group(1) for _, _, link in letters(post))
    assert Actor(app).get(old).status_code == 410
    assert Actor(app).get(new).status_code == 200
    with writing(settings) as session:
        for row in session.query(SignInLink):
            assert abs(row.expires_at - now() - login_links.LIFETIME) < timedelta(minutes=1)
            row.expires_at = now()
    assert Actor(app).get(new).status_code == 410


def test_no_link_leads_out_of_the_console(settings: Settings, app: Flask, ana: Expert) -> None:
    factories.add_user(settings, ana.email, "expert", ana)
    made = login_links.make(settings, ana.email)
    path = LINK.fullmatch(made).group(1)
    assert Actor(app).send(f"{path}?next=//elsewhere.example/").headers["Location"] == "/"


def test_an_owner_who_labels_gets_the_way_without_a_login(
    settings: Settings, app: Flask, owner: Actor, romance: Attribute, post: tuple[Post, str]
) -> None:
    """A link that logs somebody in as an owner or admin would make an owner of whoever reads that mail."""
    boss = factories.add_expert(settings, "root@example.org")
    factories.add_user(settings, boss.email, "admin", boss)
    factories.add_queue(settings, romance, boss)
    page = _ask(owner, boss.email)
    ((_, letter),) = post[0].got
    body = letter.get_payload(decode=True).decode()
    assert "/attributes/romance/label" in body
    assert "/welcome/" not in body + page


def test_the_link_of_an_owner_is_shown_and_not_mailed(
    settings: Settings, app: Flask, admin: Actor, post: tuple[Post, str]
) -> None:
    page = admin.send("/people/new", email="mo@example.org", role="owner").text
    assert "does not email the login link of an owner or admin" in page
    assert LINK.search(page)
    assert post[0].got == []


def test_a_mail_that_is_not_taken_is_told_and_the_link_stays_to_copy(
    settings: Settings, app: Flask, owner: Actor, romance: Attribute, post: tuple[Post, str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    lost = factories.add_expert(settings, "ana@nowhere.example")
    factories.add_user(settings, lost.email, "expert", lost)
    factories.add_queue(settings, romance, lost)
    page = _ask(owner, lost.email)
    assert "was not sent: the mail server did not accept it" in page
    link = LINK.search(page)
    assert link is not None
    assert Actor(app).get(link.group(1)).status_code == 200
    assert re.search(r"/welcome/([\w-]+)", link.group(1)).group(1) not in ours(caplog)


@contextmanager
def slow_server(*says: bytes) -> Iterator[tuple[str, Event]]:
    """A mail server that says these lines, one for each line that it reads, and then nothing; its address, and whether
    the text of a mail came."""
    read = Event()

    def serve(listening: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                for line in says:
                    connection.sendall(line)
                    if lines.readline().startswith(b"Subject:"):
                        read.set()
                lines.read()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield f"smtp://127.0.0.1:{listening.getsockname()[1]}", read
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


GREETED = (b"220 slow\r\n", b"250 slow\r\n")
TAKES = (*GREETED, b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")


@pytest.mark.parametrize(
    ("says", "told", "reaches"),
    [
        ((), "was not sent: the mail server did not", False),
        (GREETED[:1], "was not sent: the mail server did not", False),
        (TAKES, "was sent: the mail server did not confirm it", True),
    ],
)
def test_a_mail_server_that_does_not_answer_holds_nobody_up_and_the_page_says_what_became_of_the_mail(
    settings: Settings, ana: Expert, romance: Attribute, monkeypatch: pytest.MonkeyPatch, says: tuple[bytes, ...],
    told: str, reaches: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(send_in_time, "SECONDS", 1.0)
    factories.add_user(settings, "olga@example.org", "owner")
    factories.add_user(settings, ana.email, "expert", ana)
    factories.add_queue(settings, romance, ana)
    with slow_server(*says) as (address, read):
        page = _ask(Actor(create_app(replace(settings, smtp_url=address)), "olga@example.org"), ana.email)
        assert f"email to {ana.email} {told}" in page
        assert LINK.search(page)
    assert read.is_set() == reaches


def test_a_mail_that_was_given_up_is_not_sent_when_the_server_wakes_up(settings: Settings) -> None:
    attempt = send_in_time._Attempt()
    assert attempt.give_up()
    assert not attempt.begin()
    attempt = send_in_time._Attempt()
    assert attempt.begin()
    assert not attempt.give_up()


def test_a_mail_that_breaks_on_something_unforeseen_is_never_called_sent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no one foresaw this")

    monkeypatch.setattr(send_in_time, "mail_server", broken)
    with pytest.raises(RuntimeError, match="no one foresaw this"):
        send_in_time.send(settings, EmailMessage())


def test_without_mail_one_line_says_which_setting_is_missing(
    settings: Settings, ana: Expert, romance: Attribute
) -> None:
    factories.add_user(settings, "olga@example.org", "owner")
    factories.add_user(settings, ana.email, "expert", ana)
    factories.add_queue(settings, romance, ana)
    owner = Actor(create_app(settings), "olga@example.org")
    page = _ask(owner, ana.email)
    assert "because ATTUNE_SMTP_URL is not set" in page
    assert LINK.search(page)
    assert "<code>ATTUNE_SMTP_URL</code> is not set" in owner.get("/people/new").text
    queues = owner.get("/attributes/romance/manage").text
    assert "Make a login link" in queues
    assert "no mail server is set up here" in queues


def _token(actor: Actor, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', actor.get(path).text)
    assert found
    return found.group(1)


def _ask(owner: Actor, email: str) -> str:
    return owner.send("/attributes/romance/queues/ask", form="/account", email=email).text
