"""Notices go out to a real receiver and a real mail server on this machine: signed, once, again after a failure."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.notices import mail_choice, notices
from attune.labeler.notices.delivery import NUMBER, SIGNATURE, TIMESTAMP, sign
from attune.labeler.notices.notices import News
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Notice, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, secrets
from attune.models.clock import now, set_clock
from attune.workers.jobs import notify
from tests.support import factories
from tests.support.mail import Post, mail_server

NEWS = News("k", "job failed", "The job embed failed", "No disk left at /private/place, said ana@example.org", "/jobs")


class Hook:
    """A web server that keeps what is posted to it and answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((self.path, dict(self.headers), body))
                self.send_response(hook.status)
                if hook.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/t0ken"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


@pytest.fixture
def post() -> Iterator[tuple[Post, str]]:
    with mail_server() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = factories.workspace(tmp_path)
    factories.add_user(made, "olga@example.org", "owner")
    factories.add_user(made, "root@example.org", "admin")
    return made


def kept(settings: Settings) -> Notice:
    with reading(settings) as session:
        return session.query(Notice).one()


def run(settings: Settings) -> dict[str, Any]:
    return jobs.run_here(settings, "notify")


def test_a_notice_is_posted_once_signed_and_without_private_words(settings: Settings, hook: Hook) -> None:
    settings = replace(settings, notify_webhook_url=hook.url)
    notices.record_news(settings, [NEWS])
    assert run(settings) == {"passed": 0, "sent": 1, "failed": 0}
    assert run(settings)["sent"] == 0
    ((path, headers, body),) = hook.got
    assert path == "/hook/t0ken"
    key = secrets.load(settings.secrets).notice_key
    assert headers[SIGNATURE] == sign(key, headers[TIMESTAMP], body)
    told = json.loads(body)
    assert set(told) == {"id", "kind", "title", "attribute", "link", "at"}
    assert (told["title"], told["link"]) == ("The job embed failed", f"{settings.web_address}/jobs")
    assert headers[NUMBER] == str(told["id"])
    assert b"ana@" not in body
    assert b"private" not in body


def test_a_key_that_is_set_signs_in_place_of_the_workspaces_own(settings: Settings, hook: Hook) -> None:
    settings = replace(settings, notify_webhook_url=hook.url, notify_webhook_secret="s3cret")
    notices.record_news(settings, [NEWS])
    run(settings)
    _, headers, body = hook.got[0]
    assert headers[SIGNATURE] == sign("s3cret", headers[TIMESTAMP], body)


@pytest.mark.parametrize(("status", "says"), [(500, "answered 500"), (302, "302, a redirect")])
def test_what_fails_is_tried_again_later_and_later_and_then_given_up(
    settings: Settings, hook: Hook, status: int, says: str
) -> None:
    settings, hook.status = replace(settings, notify_webhook_url=hook.url), status
    notices.record_news(settings, [NEWS])
    at = now()
    with set_clock(lambda: at):
        assert run(settings)["failed"] == 1
        assert run(settings) == {"passed": 0, "sent": 0, "failed": 0}  # not due again yet
        assert kept(settings).due_at == at + timedelta(minutes=1)
        assert says in kept(settings).sent["webhook"]["error"]
        assert "t0ken" not in str(kept(settings).sent)
        for pause in notify.AGAIN:
            at += pause + timedelta(seconds=1)
            run(settings)
    assert len(hook.got) == 1 + len(notify.AGAIN)
    assert all(path == "/hook/t0ken" for path, _, _ in hook.got)
    assert kept(settings).sent["webhook"]["state"] == "failed"
    assert kept(settings).due_at is None


def test_a_receiver_that_comes_back_gets_it(settings: Settings, hook: Hook) -> None:
    settings, hook.status = replace(settings, notify_webhook_url=hook.url), 503
    notices.record_news(settings, [NEWS])
    run(settings)
    hook.status = 200
    later = now() + timedelta(minutes=2)
    with set_clock(lambda: later):
        assert run(settings)["sent"] == 1
    assert kept(settings).sent["webhook"]["tries"] == 2


def test_nobody_listening_stops_nothing_and_tells_no_address(settings: Settings) -> None:
    settings = replace(settings, notify_webhook_url="http://127.0.0.1:1/hook/t0ken", smtp_url="smtp://127.0.0.1:1")
    notices.record_news(settings, [NEWS])
    assert run(settings)["failed"] == 2
    told = str(kept(settings).sent)
    assert "webhook is unavailable" in told
    assert "Error" not in told
    assert "t0ken" not in told


def test_mail_goes_to_each_manager_by_itself_with_the_whole_story(settings: Settings, post: tuple[Post, str]) -> None:
    server, address = post
    settings = replace(settings, smtp_url=address, notify_from="attune@example.org")
    notices.record_news(settings, [NEWS])
    assert run(settings)["sent"] == 1
    assert [to for to, _ in server.got] == ["olga@example.org", "root@example.org"]
    assert server.logins[0] == (b"attune", b"p@ss word")
    letter = server.got[0][1]
    assert (letter["Subject"], letter["From"]) == ("Attune: The job embed failed", "attune@example.org")
    assert letter["To"] == "olga@example.org"
    words = letter.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "No disk left" in words
    assert f"{settings.web_address}/jobs" in words


def test_one_refused_receiver_keeps_the_others_from_nothing(settings: Settings, post: tuple[Post, str]) -> None:
    server, address = post
    settings = replace(settings, smtp_url=address, notify_to="x@nowhere.example, team@example.org")
    notices.record_news(settings, [NEWS])
    run(settings)
    assert [to for to, _ in server.got] == ["team@example.org"]
    assert kept(settings).sent["mail"]["error"] == "1 of 2 receivers were refused"


def test_an_experts_own_notice_goes_to_that_expert_alone(
    settings: Settings, post: tuple[Post, str], hook: Hook
) -> None:
    server, address = post
    settings = replace(settings, smtp_url=address, notify_webhook_url=hook.url, notify_to="team@example.org")
    ana = factories.add_expert(settings, "ana@example.org")
    notices.record_news(settings, [News("own", "waiting", "3 images wait for you", "Romance?", "/", expert=ana.id)])
    run(settings)
    assert [to for to, _ in server.got] == ["ana@example.org"]
    assert hook.got == []


def test_a_subject_of_two_lines_makes_no_second_header(settings: Settings, post: tuple[Post, str]) -> None:
    server, address = post
    settings = replace(settings, smtp_url=address, notify_to="team@example.org")
    notices.record_news(settings, [replace(NEWS, title="One\r\nBcc: eve@example.org")])
    run(settings)
    assert server.got[0][1]["Subject"] == "Attune: One Bcc: eve@example.org"
    assert server.got[0][1]["Bcc"] is None


def test_nothing_is_sent_where_nothing_is_set(settings: Settings) -> None:
    notices.record_news(settings, [NEWS])
    assert kept(settings).due_at is None
    assert run(settings) == {"passed": 0, "sent": 0, "failed": 0}


def test_a_person_gets_the_kinds_by_mail_that_they_want(settings: Settings, post: tuple[Post, str]) -> None:
    got, address = post
    settings = replace(settings, smtp_url=address)
    with reading(settings) as session:
        olga = session.scalars(select(User).where(User.email == "olga@example.org")).one()
    viewer = Viewer("owner", olga.email, None, olga.id)
    assert NEWS.kind in mail_choice.wanted(settings, viewer), "everything comes, until somebody chooses"
    left = [kind for kind in mail_choice.kinds(viewer) if kind != NEWS.kind]
    assert mail_choice.choose(settings, viewer, left) == left
    notices.record_news(settings, [NEWS, replace(NEWS, key="drift", kind="drift")])
    run(settings)
    told = sorted((to, letter["X-Attune-Notice"]) for to, letter in got.got)
    assert told == [("olga@example.org", "2"), ("root@example.org", "1"), ("root@example.org", "2")]


def test_a_kind_that_nobody_wants_by_mail_is_no_failure(settings: Settings, post: tuple[Post, str]) -> None:
    got, address = post
    settings = replace(settings, smtp_url=address)
    with writing(settings) as session:
        for user in session.query(User):
            user.no_mail = [NEWS.kind]
    notices.record_news(settings, [NEWS])
    assert run(settings)["failed"] == 0
    assert got.got == []


def test_a_notice_that_was_given_up_is_sent_again_by_hand_once(settings: Settings, post: tuple[Post, str]) -> None:
    got, address = post
    settings = replace(settings, smtp_url=address)
    notices.record_news(settings, [NEWS])
    run(settings)
    with writing(settings) as session:
        row = session.query(Notice).one()
        row.sent = {
            "mail": {"state": "failed", "tries": 6, "error": "refused"},
            "webhook": {"state": "sent", "tries": 1},
        }
    owner = Viewer("owner", "olga@example.org", None, 1)
    assert notices.send_again(settings, owner, row.id)
    assert not notices.send_again(settings, owner, row.id), "it waits to be sent already"
    run(settings)
    assert [to for to, _ in got.got] == ["olga@example.org", "root@example.org"] * 2
    assert kept(settings).sent["mail"]["state"] == "sent"
    assert not notices.send_again(settings, owner, row.id), "it went out"
