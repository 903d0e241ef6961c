"""How long a request may take to arrive, how large it may be, and how many are worked on at once.

Label Studio runs on Django's own server, which waits for ever and holds a connection to the database meanwhile: some
hundred visitors who send half a request, without any login, would stop Label Studio, and on a PostgreSQL that they
share the records as well. Here a request is read before anything asks the database, and an answer is written after.
"""

import io
import socketserver
import threading
import time
from http.client import HTTPException
from wsgiref import simple_server

import attune_connections
from django.core.servers import basehttp

HEAD_SECONDS = 75  # from the connection's begin, or from one answer to the next request; longer than a proxy keeps one
BODY_SECONDS = 30  # for what follows the head, whatever its size
ANSWER_SECONDS = 300  # for writing one answer to who reads it slowly
MOST_HEAD_BYTES = 64 * 2**10  # of a request's headers; the first line is as long at most
MOST_BYTES = 256 * 2**10  # of a body; of what experts send, `attune_checks` takes less still
MOST_BYTES_OF_ATTUNE = 64 * 2**20  # of one that comes with the administrator's token
AT_ONCE = 30  # requests worked on, each with a connection to the database; docker/databases.sql allows some more
WAIT_SECONDS = 30  # for one of these places
DRAINED = 2**20  # of a body that no one wants, so that its sender comes to read why
NOT_YET_ACCEPTED = 128  # connections that the system holds meanwhile; one more is put off by a second

_places = threading.BoundedSemaphore(AT_ONCE)


def limit():
    """Have the server that this process starts keep these limits; a second call changes nothing."""
    basehttp.WSGIRequestHandler = Handler
    basehttp.ServerHandler = Answering
    basehttp.WSGIServer.verify_request = _opened
    basehttp.WSGIServer.close_request = _closed
    basehttp.WSGIServer.request_queue_size = NOT_YET_ACCEPTED


def _opened(server, connection, address):
    return attune_connections.opened(connection, address[0])


def _closed(server, connection):
    attune_connections.closed(connection)
    socketserver.TCPServer.close_request(server, connection)


class Intake:
    """Django middleware; the first one, before any that looks the session up."""

    def __init__(self, get_response):
        self.get_response = get_response
        limit()

    def __call__(self, request):
        if getattr(request, "_attune_read", False):  # Label Studio sends a request through once more, with a slash added
            return self.get_response(request)
        request._attune_read = True
        refused = _read(request)
        if refused is not None:
            return refused
        mine = request.META.get(attune_connections.IN_META)
        if mine is not None and not mine.begins():  # no one would learn what became of the request
            return _refusal("The connection was closed, because others needed room. Send the request again.", 503)
        return _worked_on(lambda: self.get_response(request))


def _read(request):
    """Have the whole body in memory: nothing, or the answer to who sends too much or too little."""
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return _refusal("Content-Length is no number.", 400)
    if size > MOST_BYTES:
        refused = _worked_on(lambda: _too_large(request, size))
        if refused is not None:
            return refused
    try:
        read = len(request.body)
    except OSError:  # also where the time is over
        return _refusal("The request did not arrive in time. Send it again.", 408)
    return None if read == size else _refusal("The request ended in the middle. Send it again.", 400)


def _worked_on(act):
    """What ``act`` gives, done in one of the places; its connection to the database ends before the answer is written."""
    from django.db import connections

    if not _places.acquire(timeout=WAIT_SECONDS):
        return _refusal("Label Studio has too much to do. Try again in a minute.", 503)
    try:
        return act()
    finally:
        connections.close_all()
        _places.release()


def _too_large(request, size):
    from attune_checks import Refused
    from attune_who import by_token, is_administrator

    most = MOST_BYTES
    try:
        if is_administrator(by_token(request)):
            attune_connections.keep(request)
            most = MOST_BYTES_OF_ATTUNE
    except Refused:
        pass
    return _refusal(f"The request has {size} bytes; {most} are the most.", 413) if size > most else None


def _refusal(text, status):
    from django.http import JsonResponse

    return JsonResponse({"detail": text}, status=status, headers={"Retry-After": "60"} if status == 503 else {})


class Handler(basehttp.WSGIRequestHandler):
    """One connection: reading and writing end at a time that was set before, however slowly the bytes drip."""

    head_left = None

    def setup(self):
        super().setup()
        self.mine = attune_connections.of(self.request)
        self.rfile.close()
        self.rfile = io.BufferedReader(_Until(self.connection, self))
        self.wfile = _Until(self.connection, self)

    def handle_one_request(self):
        self.until, self.written_until = time.monotonic() + HEAD_SECONDS, None
        self.mine.arrives()
        try:
            super().handle_one_request()
        except TimeoutError:
            self.close_connection = True

    def parse_request(self):
        """Django's, for one request whose end is known: the rest of another would be read as the next request."""
        self.head_left = MOST_HEAD_BYTES
        try:
            if self.mine.gone or not super().parse_request() or self.mine.gone:  # its end reads like the head's
                self.close_connection = True
                return False
        finally:
            self.head_left = None
        self.mine.arrives()  # a "100 Continue" was written perhaps, which is no answer
        if "Transfer-Encoding" in self.headers:
            self.send_error(411)
            return False
        self.until = time.monotonic() + BODY_SECONDS
        return True

    def log_message(self, text, *parts):
        """Django's line, without what a terminal would obey: anybody may send it, without a login."""
        super().log_message(text, *(_printable(one) if isinstance(one, str) else one for one in parts))

    def get_environ(self):
        return super().get_environ() | {attune_connections.IN_META: self.mine}


def _printable(text):
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class _Until(io.RawIOBase):
    """A socket as a file, read until the handler's ``until`` and written for at most ANSWER_SECONDS a request."""

    def __init__(self, connection, handler):
        super().__init__()
        self._socket, self._handler = connection, handler

    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, buffer):
        self._wait(self._handler.until)
        read = self._socket.recv_into(buffer)
        if self._handler.head_left is not None:
            self._handler.head_left -= read
            if self._handler.head_left < 0:
                raise HTTPException("headers too large")  # answered 431
        return read

    def write(self, data):
        if self._handler.written_until is None:
            self._handler.written_until = time.monotonic() + ANSWER_SECONDS
            self._handler.mine.answered()
        try:
            self._wait(self._handler.written_until)
            self._socket.sendall(data)
        except TimeoutError:  # as if the reader had gone, of which the server makes no fuss
            self._handler.close_connection = True
            raise ConnectionAbortedError from None
        return memoryview(data).nbytes

    def _wait(self, until):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    def fileno(self):
        return self._socket.fileno()


class Answering(basehttp.ServerHandler):
    """Django's, which would read all that is left of a body into memory before it continues."""

    def cleanup_headers(self):
        super().cleanup_headers()
        if self._left():
            self.headers["Connection"] = "close"
            self.request_handler.close_connection = True

    def close(self):
        try:
            self._drain()
        except OSError:
            pass
        if self._left():
            self.request_handler.close_connection = True
        simple_server.ServerHandler.close(self)

    def _left(self):
        body = self.get_stdin()
        return body.limit - body._pos

    def _drain(self):
        for _ in range(DRAINED // 2**16):
            if not self._left() or not self.get_stdin().read(2**16):
                return
