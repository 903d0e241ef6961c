"""Requests that arrive slowly, never end, or are too large: each waits for itself and holds nothing of the others'."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from attune.labeler.label_studio.client import LabelStudio
from tests.support import inside_label_studio
from tests.support.services import Services

pytestmark = [pytest.mark.services, pytest.mark.slow]
LARGE = b'{"title": "' + b"x" * 300_000 + b'"}'
# Its server with a small application in place of Label Studio, and seconds in place of minutes.
SERVER = """
import socket, threading, time
import attune_intake
from django.core.servers import basehttp
attune_intake.HEAD_SECONDS = attune_intake.BODY_SECONDS = attune_intake.ANSWER_SECONDS = 0.5
attune_intake.MOST_CONNECTIONS = 3
attune_intake.MOST_HEAD_BYTES = 1000
attune_intake.limit()
def app(environ, start):
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
def begin(text):
    made = socket.create_connection(("127.0.0.1", port[0]))
    made.sendall(text)
    return made
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
    assert inside_label_studio.run(services.settings, code) == told


def test_what_anybody_sends_is_escaped_in_the_log(services: Services) -> None:
    """Whoever reads the log in a terminal would else run its codes."""
    lines: list[str] = inside_label_studio.run(
        services.settings,
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
    )
    assert len(lines) >= 4, lines
    assert any(r"\x1b" in line for line in lines)
    assert all(line.isprintable() for line in lines), lines


def test_who_does_not_read_the_answer_is_left(services: Services) -> None:
    code = """
mine = begin(b"GET /large HTTP/1.1\\r\\n\\r\\n")
while not attune_intake._open:
    time.sleep(0.05)
while attune_intake._open:
    time.sleep(0.05)
print(json.dumps(answer(begin(b"GET / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n"))))
"""
    assert inside_label_studio.run(services.settings, SERVER + code) == "HTTP/1.1 200 OK"


def test_no_more_connections_are_open_than_there_is_room_for_and_later_ones_find_room(services: Services) -> None:
    code = """
attune_intake.HEAD_SECONDS = 3600
silent = [begin(b"G") for _ in range(3)]
while len(attune_intake._open) < 3:
    time.sleep(0.05)
whole = b"GET / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n"
seen = [answer(begin(whole))]
silent.pop().close()
while len(attune_intake._open) > 2:
    time.sleep(0.05)
print(json.dumps([*seen, answer(begin(whole))]))
"""
    assert inside_label_studio.run(services.settings, SERVER + code) == ["", "HTTP/1.1 200 OK"]


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
