"""Connections that send or take next to nothing: they end, they open no files, and they keep nobody out."""

from __future__ import annotations

import errno
import logging
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
import waitress
from waitress import wasyncore
from waitress.server import TcpWSGIServer

from attune.labeler.web import connections, receiving
from attune.labeler.web.connections import Server
from attune.labeler.web.receiving import SECONDS

MOST = 20  # connections and the server's own two
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6000000\r\n\r\n"


class Console:
    """A server whose loop goes on a turn at a time, and whose clock stands still until it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in (receiving, connections):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr("waitress.server.TcpWSGIServer", TcpWSGIServer)
        connections.limit()
        self.asked: list[str] = []
        self.answer: Callable[[dict[str, Any]], Any] = lambda environ: [b"hello"]
        self.status = "200 OK"
        self.server: Server = waitress.create_server(
            self._app, host="127.0.0.1", port=0, map={}, connection_limit=MOST, cleanup_interval=0, threads=1
        )
        self.clients = ExitStack()

    def _app(self, environ: dict[str, Any], respond: Any) -> Any:
        self.asked.append(environ["REQUEST_METHOD"])
        respond(self.status, [])
        return self.answer(environ)

    def client(self, sent: bytes = b"") -> socket.socket:
        """Somebody who comes in and sends ``sent``; the server has it then."""
        one = socket.socket()
        self.clients.enter_context(one)
        one.settimeout(0.01)
        one.connect(("127.0.0.1", int(self.server.effective_port)))
        one.sendall(sent)
        self.turns()
        return one

    def turns(self, count: int = 8) -> None:
        for _ in range(count):
            wasyncore.loop(timeout=0.002, map=self.server._map, count=1)

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.turns()

    def until(self, done: Callable[[], object]) -> None:
        for _ in range(1000):
            if done():
                return
            self.turns(1)
        pytest.fail("it did not happen")

    def told(self, client: socket.socket) -> bytes:
        """All that was answered to ``client``, who reads until the server has nothing more to say."""
        held = bytearray()

        def ended() -> bool:
            try:
                while part := client.recv(65536):
                    held.extend(part)
            except TimeoutError:
                return False
            except ConnectionError:  # what was sent after the end came back
                return True
            return True

        self.until(ended)
        return bytes(held)

    @property
    def open(self) -> int:
        return len(self.server.active_channels)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    made = Console(monkeypatch)
    try:
        yield made
    finally:
        made.clients.close()
        for one in list(made.server.active_channels.values()):
            one.handle_close()
        made.server.task_dispatcher.shutdown()
        made.server.close()


def test_of_requests_in_one_packet_the_first_is_answered_and_says_that_the_connection_closes(console: Console) -> None:
    told = console.told(console.client(GET * 170))
    assert (len(console.asked), told.count(b"HTTP/1.1 200 OK")) == (1, 1)
    assert b"Connection: close" in told


def test_a_blank_line_before_or_after_a_request_is_none(console: Console) -> None:
    client = console.client(b"\r\n\r\n" + GET + b"\r\n")
    console.until(lambda: len(console.asked) == 1)
    client.sendall(GET)
    console.until(lambda: len(console.asked) == 2)


@pytest.mark.parametrize(("header", "open_then"), [(b"", 1), (b"Connection: close\r\n", 0)])
def test_a_pipeline_stays_connected_after_an_answer_that_nothing_has_changed(
    console: Console, header: bytes, open_then: int
) -> None:
    console.status, console.answer = "304 NOT MODIFIED", lambda environ: []
    client = console.client(GET[:-2] + header + b"\r\n")
    told = bytearray()

    def answered() -> bool:
        with suppress(TimeoutError):
            told.extend(client.recv(65536))
        return told.endswith(b"\r\n\r\n")

    console.until(answered)
    assert (b"Connection: close" in told, b"Transfer-Encoding" in told) == (not open_then, False)
    console.turns()
    assert console.open == open_then


def test_an_answer_that_nobody_reads_ends_and_so_does_its_file(console: Console) -> None:
    file = BytesIO(b"x" * 20_000_000)
    console.answer = lambda environ: environ["wsgi.file_wrapper"](file)
    console.client(GET)
    console.until(lambda: console.asked)
    console.later(SECONDS - 1)
    assert not file.closed
    console.later(2)
    assert (console.open, file.closed) == (0, True)


def test_a_thread_that_waits_for_a_reader_is_freed(console: Console) -> None:
    console.answer = lambda environ: (b"x" * 1_000_000 for _ in range(60))
    console.client(GET)
    console.until(lambda: console.asked)
    console.until(lambda: any(one.total_outbufs_len > 16_000_000 for one in console.server.active_channels.values()))
    console.later(SECONDS + 1)
    console.answer = lambda environ: [b"next"]
    assert b"next" in console.told(console.client(GET.replace(b"Host", b"Connection: close\r\nHost")))


def test_a_slow_reader_has_time_for_all_that_is_taken(console: Console) -> None:
    console.answer = lambda environ: [b"x" * 3_000_000]
    client = console.client(GET.replace(b"Host", b"Connection: close\r\nHost"))
    console.until(lambda: console.asked)
    held, before = 0, console.now
    while True:
        part = b""
        with suppress(TimeoutError):
            part = client.recv(100_000)
            if not part:
                break
        held += len(part)
        console.later(len(part) / 20_000)
    assert held > 3_000_000
    assert console.now - before > 2 * SECONDS


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nX: ", GET], ids=["silent", "half a head", "between two"])
def test_who_sends_next_to_nothing_is_ended_without_a_word(console: Console, begin: bytes) -> None:
    client = console.client(begin)
    console.until(lambda: bool(console.asked) == (begin == GET))
    with suppress(TimeoutError):
        client.recv(1000)
    for _ in range(4):
        console.later(SECONDS / 4)
        if begin != GET and begin:
            client.sendall(b"a")
    assert console.open == 1
    console.later(1)
    assert (console.open, console.told(client)) == (0, b"")


def test_an_upload_that_drips_is_told_so_in_plain_words(console: Console) -> None:
    client = console.client(UPLOAD)
    for _ in range(7):
        client.sendall(b"a")
        console.later(SECONDS / 6)
    client.sendall(b"a" * 100_000)  # is on its way meanwhile, and must not cost the sender the answer
    told = console.told(client).decode()
    assert told.startswith("HTTP/1.1 408 ")
    assert "of 6,000,000 bytes arrived" in told
    assert "at least 8 KB a second" in told
    assert not console.asked
    console.later(SECONDS + 1)
    assert console.open == 0


def test_a_photo_over_a_slow_line_arrives(console: Console) -> None:
    client = console.client(UPLOAD)
    for _ in range(30):
        console.later(10)
        client.sendall(b"a" * 200_000)
        console.turns(40)
    console.until(lambda: console.asked == ["POST"])
    assert console.now - 1000 == 300


def test_a_stalled_upload_ends_however_much_came_before(console: Console) -> None:
    client = console.client(UPLOAD + b"a" * 3_000_000)
    console.turns(400)
    console.later(SECONDS + 1)
    assert console.told(client).startswith(b"HTTP/1.1 408 ")


def test_an_upload_that_is_too_large_says_how_large_it_may_be(console: Console) -> None:
    console.server.adj.max_request_body_size = 9_000_000
    told = console.told(console.client(UPLOAD.replace(b"6000000", b"12000000"))).decode()
    assert told.startswith("HTTP/1.1 413 ")
    assert "The upload has 12,000,000 bytes. Attune takes at most 9,000,000" in told


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nX: ", UPLOAD], ids=["silent", "half a head", "no body"])
def test_a_newcomer_comes_in_and_who_has_waited_longest_gives_way(console: Console, begin: bytes) -> None:
    uploading = console.client(UPLOAD)
    for _ in range(2 * MOST):
        console.later(0.5)
        uploading.sendall(b"a" * 10_000)
        console.client(begin)
        assert console.open < MOST
    assert b"hello" in console.told(console.client(GET.replace(b"Host", b"Connection: close\r\nHost")))
    for _ in range(6_000_000 // 10_000 - 2 * MOST):
        uploading.sendall(b"a" * 10_000)
        console.turns(1)
    console.until(lambda: "POST" in console.asked)


def test_a_request_at_work_gives_way_to_nobody(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[Any] = []
    monkeypatch.setattr(console.server, "add_task", added.append)
    for _ in range(2 * MOST):
        console.client(GET)
    console.later(100 * SECONDS)
    assert len(added) == console.open == MOST - 2


def test_with_no_file_left_newcomers_wait_and_the_log_stays_short(
    console: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    tried: list[int] = []

    class Full:
        def accept(self) -> None:
            tried.append(1)
            raise OSError(errno.EMFILE, "Too many open files")

        def __getattr__(self, name: str) -> Any:
            return getattr(usual, name)

    silent = console.client()
    usual = console.server.socket
    console.later(1)
    with monkeypatch.context() as full:
        full.setattr(console.server, "socket", Full())
        waiting = console.client(GET.replace(b"Host", b"Connection: close\r\nHost"))
        console.turns(50)
        assert len(tried) == 1
    assert console.told(silent) == b"", "its file is free again"
    assert [record.name for record in caplog.records] == ["attune.web"]
    assert "the system gives no more files (Too many open files)" in caplog.text
    console.later(1)
    assert b"hello" in console.told(waiting)


@pytest.mark.parametrize(("hard", "files", "most"), [(600, 600, 250), (20_000, 8192, 500)])
def test_the_console_takes_as_many_files_as_it_may_have(hard: int, files: int, most: int) -> None:
    if 0 <= resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip(f"this machine gives fewer than {hard} files")
    code = (
        f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (256, {hard}))\n"
        "from attune.labeler.web.connections import limit\nprint(limit(), r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [str(most), str(files)]
