"""Requests that arrive slowly, never end, or are too large: each waits for itself and holds nothing of the others'."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from attune.labeler.label_studio.client import LabelStudio
from tests.support.services import Services

pytestmark = [pytest.mark.services, pytest.mark.slow]
LARGE = b'{"title": "' + b"x" * 300_000 + b'"}'
# Its server with a small application in place of Label Studio, and seconds in place of minutes.
SERVER = """
import contextlib, socket, threading, time
import attune_connections, attune_intake
from django.core.servers import basehttp
attune_intake.HEAD_SECONDS = attune_intake.BODY_SECONDS = attune_intake.ANSWER_SECONDS = 0.5
attune_connections.MOST = 3
attune_intake.MOST_HEAD_BYTES = 1000
attune_intake.limit()
go_on = threading.Event()
def app(environ, start):
    if environ["PATH_INFO"] == "/work":  # `attune_intake.Intake` says so of each request that has come
        assert environ[attune_connections.IN_META].begins()
        go_on.wait()
    if environ["PATH_INFO"] == "/ours":  # `attune_guard.Guard` does, where it knows the token
        environ[attune_connections.IN_META].ours = True
    try:
        environ["wsgi.input"].read()
    except TimeoutError:  # `attune_intake.Intake` answers so
        start("408 Request Timeout", [])
        return []
    answer = b"x" * (50_000_000 if environ["PATH_INFO"] == "/large" else 2)
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
port = []
bound = threading.Event()
def tell(number):
    port.append(number)
    bound.set()
serve = lambda: basehttp.run("127.0.0.1", 0, app, threading=True, on_bind=tell)
threading.Thread(target=serve, daemon=True).start()
bound.wait()
def begin(text, source="127.0.0.1"):
    made = socket.create_connection(("127.0.0.1", port[0]), source_address=(source, 0))
    made.sendall(text)
    return made
def begin_all(*all):
    made = []
    for one in all:
        made.append(begin(*one))
        until(lambda: is_open(made[-1]))
    return made
def is_open(made):
    for one in list(attune_connections._open):
        with contextlib.suppress(OSError):
            if one.getpeername() == made.getsockname():
                return True
    return False
def until(true):
    while not true():
        time.sleep(0.01)
def doing(what):
    return [one.does for one in list(attune_connections._open.values())].count(what)
def ended(connection):
    connection.settimeout(0.2)
    try:
        return not connection.recv(1)
    except TimeoutError:
        return False
    except ConnectionError:
        return True
WHOLE = b"GET / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n"
WORK = b"GET /work HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n"
def answer(connection):
    got = b""
    try:
        while part := connection.recv(65536):
            got += part
    except ConnectionError:
        pass
    return got.partition(b"\\r\\n")[0].decode()
def drip(text):
    connection = begin(text)
    connection.settimeout(0.05)
    got = b""
    while True:
        try:
            connection.sendall(b"a")
            part = connection.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return got.partition(b"\\r\\n")[0].decode()
        if not part:
            return got.partition(b"\\r\\n")[0].decode()
        got += part
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", "HTTP/1.1 200 OK"),
        (b"POST / HTTP/1.1\r\nX: ", ""),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n", "HTTP/1.1 408 Request Timeout"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 411 Length Required"),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 9 + b"Connection: close\r\n\r\n", "HTTP/1.1 200 OK"),
        (b"GET / HTTP/1.1\r\n" + (b"X: " + b"a" * 200 + b"\r\n") * 60 + b"\r\n", "HTTP/1.1 431 Too many headers"),
    ],
    ids=[
        "whole",
        "a head that drips",
        "a body that drips",
        "a body of unknown length",
        "some headers",
        "more headers than are read",
    ],
)
def test_a_request_is_read_until_its_time_is_over(services: Services, text: bytes, told: str) -> None:
    code = SERVER + f"print(json.dumps(drip({text!r})))"
    assert services.inside.run(code, apart=True) == told


def test_what_anybody_sends_is_escaped_in_the_log(services: Services) -> None:
    """Whoever reads the log in a terminal would else run its codes."""
    lines: list[str] = services.inside.run(
        SERVER
        + r"""
import logging
heard = []
class Kept(logging.Handler):
    def emit(self, record):
        heard.append(record.getMessage())
logging.getLogger("django.server").addHandler(Kept())
logging.getLogger("django.server").setLevel(logging.INFO)
for line in (b"GET /\x1b]0;t\x07 HTTP/1.1", b"G\x1b[31mX / HTTP/1.1", b"GET /\xc2\x9b31m HTTP/1.1", b"\x1b[31m"):
    with begin(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n") as connection:
        connection.settimeout(5)
        answer(connection)
print(json.dumps(heard))
""",
        apart=True,
    )
    assert len(lines) >= 4, lines
    assert any(r"\x1b" in line for line in lines)
    assert all(line.isprintable() for line in lines), lines


def test_who_does_not_read_the_answer_is_left(services: Services) -> None:
    code = """
mine = begin(b"GET /large HTTP/1.1\\r\\n\\r\\n")
until(lambda: attune_connections._open)
until(lambda: not attune_connections._open)
print(json.dumps(answer(begin(b"GET / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n"))))
"""
    assert services.inside.run(SERVER + code, apart=True) == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "sent",
    [b"", b"G", b"GET / HTTP/1.1\r\nX: 1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"],
    ids=["silent", "half a line", "half a head", "half a body"],
)
def test_who_sends_no_whole_request_gives_way_to_who_does(services: Services, sent: bytes) -> None:
    """Without a login, as many as there is room for: each new one takes the place of the one that waits longest."""
    code = f"""
attune_intake.HEAD_SECONDS = attune_intake.BODY_SECONDS = 3600
held = begin_all(*[[{sent!r}]] * 3)
seen = [answer(begin(WHOLE))]
seen.append([ended(one) for one in held])
seen += [answer(begin(WHOLE)) for _ in range(9)]
print(json.dumps([seen[0], seen[1], sorted(set(seen[2:]))]))
"""
    found = services.inside.run(SERVER + code, apart=True)
    assert found == ["HTTP/1.1 200 OK", [True, False, False], ["HTTP/1.1 200 OK"]]


def test_who_leaves_an_answer_unread_gives_way_after_who_sends_nothing(services: Services) -> None:
    code = """
attune_intake.HEAD_SECONDS = attune_intake.ANSWER_SECONDS = 3600
large = b"GET /large HTTP/1.1\\r\\n\\r\\n"
held = begin_all([large], [large])
until(lambda: doing(attune_connections.ANSWERED) == 2)
held += begin_all([b""])
seen = [answer(begin(WHOLE)), ended(held[2])]
until(lambda: len(attune_connections._open) == 2)
held += begin_all([large])
until(lambda: doing(attune_connections.ANSWERED) == 3)
print(json.dumps([*seen, answer(begin(WHOLE))]))
"""
    found = services.inside.run(SERVER + code, apart=True)
    assert found == ["HTTP/1.1 200 OK", True, "HTTP/1.1 200 OK"]


def test_a_request_that_is_worked_on_never_gives_way(services: Services) -> None:
    """What would become of an answer that is being stored, its sender could not know."""
    code = """
attune_intake.HEAD_SECONDS = 3600
held = begin_all([WORK], [WORK], [b""])
until(lambda: doing(attune_connections.WORKED_ON) == 2)
seen = [answer(begin(WHOLE)), ended(held[2])]
held += begin_all([WORK])
until(lambda: doing(attune_connections.WORKED_ON) == 3)
seen.append(answer(begin(WHOLE)))
go_on.set()
print(json.dumps([*seen, *[answer(held[number]) for number in (0, 1, 3)], answer(begin(WHOLE))]))
"""
    found = services.inside.run(SERVER + code, apart=True)
    fine = "HTTP/1.1 200 OK"
    assert found == [fine, True, "", fine, fine, fine, fine], "only where all are worked on is a new one refused"


def test_one_address_that_takes_all_the_room_takes_none_of_the_others(services: Services) -> None:
    code = """
attune_intake.HEAD_SECONDS = 3600
attune_connections.FEW = 1
other = begin_all([b"G", "127.0.0.2"])
many = begin_all([b""], [b""])
many += [begin(b"") for _ in range(5)]
until(lambda: all(map(ended, many[:2])))
other[0].sendall(WHOLE[1:])
print(json.dumps(answer(other[0])))
"""
    assert services.inside.run(SERVER + code, apart=True) == "HTTP/1.1 200 OK"


def test_where_addresses_have_few_connections_each_only_their_age_counts(services: Services) -> None:
    """A browser opens some: many computers with one each must not drive it out."""
    code = """
attune_intake.HEAD_SECONDS = 3600
alone = begin_all([b"", "127.0.0.2"])
browser = begin_all([b""], [b"G"])
seen = [answer(begin(WHOLE)), ended(alone[0])]
browser[1].settimeout(None)
browser[1].sendall(WHOLE[1:])
print(json.dumps([*seen, answer(browser[1])]))
"""
    assert services.inside.run(SERVER + code, apart=True) == ["HTTP/1.1 200 OK", True, "HTTP/1.1 200 OK"]


def test_attunes_own_connection_never_gives_way(services: Services) -> None:
    code = """
attune_intake.HEAD_SECONDS = 3600
held = begin_all([b"GET /ours HTTP/1.1\\r\\n\\r\\n"])
first = b""
while not first.endswith(b"xx"):  # the whole answer, however many parts it comes in
    first += held[0].recv(65536)
held += begin_all([b""], [b""])
seen = [answer(begin(WHOLE)) for _ in range(5)]
held[0].sendall(WHOLE)
print(json.dumps([*seen, answer(held[0])]))
"""
    assert set(services.inside.run(SERVER + code, apart=True)) == {"HTTP/1.1 200 OK"}


def test_only_attunes_token_makes_a_connection_attunes_own(services: Services) -> None:
    code = f"""
import socket
from attune_connections import IN_META, Connection
from django.test import Client
seen = []
for token in ({services.token!r}, "0" * 40):
    with socket.socket() as made:
        connection = Connection(made, "")
        more = {{"HTTP_AUTHORIZATION": "Token " + token, IN_META: connection}}
        seen.append([Client().get("/api/current-user/whoami", **more).status_code, connection.ours])
print(json.dumps(seen))
"""
    assert services.inside.run(code) == [[200, True], [401, False]]


@pytest.fixture
def ls(services: Services) -> Iterator[LabelStudio]:
    with LabelStudio(services.settings.label_studio_address, services.token) as made:
        yield made


@pytest.mark.parametrize("path", ["/health/", "/user/login/", "/api/projects/", "/no/such/page"])
def test_only_attune_sends_large_requests(services: Services, ls: LabelStudio, path: str) -> None:
    """Label Studio reads whatever comes, up to 250 MB, before it asks who sends it."""
    json_type = {"Content-Type": "application/json"}
    for header in ({}, {"Authorization": f"Token {'0' * 40}"}, {"Authorization": "Basic eDp5"}):
        reply = requests.post(ls.address + path, data=LARGE, headers=json_type | header, timeout=60)
        assert (reply.status_code, reply.json()["detail"][:28]) == (413, "The request has 300013 bytes")
    own = json_type | {"Authorization": f"Token {services.token}"}
    assert requests.post(ls.address + path, data=LARGE, headers=own, timeout=60).status_code != 413


def test_requests_that_never_end_keep_nobody_else_waiting(ls: LabelStudio) -> None:
    """More of them than Label Studio works on at once."""
    where = urlsplit(ls.address)
    head = b"POST /user/login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    held = [socket.create_connection((where.hostname or "", where.port or 80)) for _ in range(60)]
    try:
        for one in held:
            one.sendall(head)
        assert requests.get(f"{ls.address}/health/", timeout=20).status_code == 200
        assert ls.me()["email"]
    finally:
        for one in held:
            one.close()
