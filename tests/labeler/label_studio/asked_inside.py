"""Requests put to Label Studio inside its own Python: all of its middleware and views on its database, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from tests.support.services import Services

OF_A_CALLER = ("Authorization", "X-CSRFToken", "Referer")


@dataclass(frozen=True)
class Asked:
    """One request; ``body`` is sent as JSON, None for nothing."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What an answer says of the door; ``by_guard``: that it was Attune's guard who refused."""

    status: int
    location: str
    by_guard: bool

    @classmethod
    def of(cls, reply: requests.Response) -> Answer:
        """The same of an answer that came over HTTP."""
        return cls(reply.status_code, reply.headers.get("Location", ""), "X-Attune-Door" in reply.headers)


CODE = """
from django.test import Client
given = json.loads({given!r})
answers = []
client = Client(enforce_csrf_checks=True, raise_request_exception=False)
for method, path, body in given["asked"]:
    # What a caller had, they keep showing; what Label Studio gives them, they keep, as a browser does.
    client.cookies.load(given["cookies"])
    data = b"" if body is None else json.dumps(body).encode()
    kind = "" if body is None else "application/json"
    reply = client.generic(method, path, data, kind, headers=given["headers"], HTTP_HOST=given["host"])
    answers.append([reply.status_code, reply.headers.get("Location", ""), "X-Attune-Door" in reply.headers])
    reply.close()
print(json.dumps(answers))
"""


def ask_inside(services: Services, session: requests.Session, asked: Sequence[Asked]) -> list[Answer]:
    """The answers to who has the cookies and the headers of ``session``, one a request."""
    given = {
        "asked": [(one.method, f"{one.path}?{urlencode(one.query)}", one.body) for one in asked],
        "cookies": session.cookies.get_dict(),
        "headers": {name: session.headers[name] for name in OF_A_CALLER if name in session.headers},
        "host": urlsplit(services.settings.label_studio_address).netloc,
    }
    return [Answer(*one) for one in services.inside.run(CODE.format(given=json.dumps(given)))]
