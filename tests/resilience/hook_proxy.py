"""A proxy between Label Studio's webhooks and the console, which can drop, double, delay or reorder them."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import requests

from attune.labeler.settings import Settings
from tests.resilience.faults import Fault

DROPPED, DOUBLED, DELAYED, REORDERED = "dropped", "doubled", "delayed", "reordered"
LATE_SECONDS = 4.0  # Label Studio waits for a webhook's answer for one second
SECONDS = 5.0
HEADERS = ("X-Attune-Secret", "Content-Type")


@dataclass(frozen=True)
class Call:
    """One webhook as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class HookProxy:
    """Listens on a free port at ``url``; forwards to ``to``, which is set once the console's address is known."""

    def __init__(self) -> None:
        self.to, self.how, self.held = "", "", list[Call]()
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kept = {name: self.headers[name] for name in HEADERS if name in self.headers}
                status = proxy.take(Call(self.path, kept, body))
                with suppress(OSError):  # who called may have gone
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, call: Call) -> int:
        """What becomes of one webhook now; the status that its sender gets."""
        match self.how:
            case "dropped":
                return 503
            case "doubled":
                self._forward(call)
            case "delayed":
                time.sleep(LATE_SECONDS)
            case "reordered":
                with self._lock:
                    self.held.append(call)
                return 202
        return self._forward(call)

    def rest(self) -> None:
        """Pass everything on again; what was held goes now, the last first."""
        self.how = ""
        with self._lock:
            held, self.held = self.held, []
        for call in reversed(held):
            self._forward(call)

    def _forward(self, call: Call) -> int:
        with suppress(requests.RequestException):
            return requests.post(self.to + call.path, data=call.body, headers=call.headers, timeout=5).status_code
        return 502

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def faults(self) -> tuple[Fault, ...]:
        """Each of its ways, for some seconds."""
        return tuple(self._fault(how) for how in (DROPPED, DOUBLED, DELAYED, REORDERED))

    def _fault(self, how: str) -> Fault:
        def do(_settings: Settings, chance: Random) -> bool:
            self.how = how
            time.sleep(chance.uniform(1, 2) * SECONDS)
            self.rest()
            return True

        return Fault(f"webhooks {how}", do)
