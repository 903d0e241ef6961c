"""An expert who answers on the console's labelling page, and sends an answer again until told what became of it."""

from __future__ import annotations

import re
from uuid import uuid4

import requests
from sqlalchemy import select

from attune.labeler.records.schema import Asset, Attribute, Queue, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import LabelStudioUnreachable
from tests.resilience.ledger import PASSWORD, Answerer

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
PAGE_TOKEN = re.compile(r'data-csrf="([^"]+)"')
STORED = "stored"
SECONDS = 20.0


class Page:
    """The labelling page of one attribute, open in a browser."""

    def __init__(self, settings: Settings, email: str, name: str) -> None:
        self._session, self._at = requests.Session(), f"{settings.web_address}/attributes/{name}/label"
        form = {"csrf_token": self._found(TOKEN, f"{settings.web_address}/login"), "email": email, "password": PASSWORD}
        self._session.post(f"{settings.web_address}/login", data=form, timeout=SECONDS).raise_for_status()
        self._token = self._found(PAGE_TOKEN, self._at)
        self.revision = 0

    def _found(self, pattern: re.Pattern[str], address: str) -> str:
        reply = self._session.get(address, timeout=SECONDS)
        match = pattern.search(reply.text)
        if not reply.ok or match is None:
            raise LabelStudioUnreachable(f"{address} answered {reply.status_code} without a token.")
        return match[1]

    def next(self) -> str | None:
        """The key of the next question."""
        reply = self._session.get(f"{self._at}/next", timeout=SECONDS)
        reply.raise_for_status()
        found = reply.json()
        self.revision = found["revision"]
        return found["questions"][0]["key"] if found["questions"] else None

    def send(self, once: str, key: str, value: str, is_first: bool) -> str:
        """What became of one answer."""
        row = {"once": once, "key": key, "value": value, "seconds": 1.0, "age": 0, "first": is_first}
        reply = self._session.post(
            f"{self._at}/answers",
            json={"revision": self.revision, "answers": [row]},
            headers={"X-CSRFToken": self._token},
            timeout=SECONDS,
        )
        reply.raise_for_status()
        return str(reply.json()["answers"][once])

    def close(self) -> None:
        """Close the browser."""
        self._session.close()


class PageAnswerer(Answerer):
    """Answers one queue on the page. What it sends again names the revision that it answered, as a browser's does."""

    revision = 0

    def _login(self) -> Page:
        with reading(self.settings) as session:
            mine = select(Attribute.name).join(Queue, Queue.attribute_id == Attribute.id)
            name = session.scalars(mine.where(Queue.project == self.project)).one()
        page = Page(self.settings, self.email, name)
        page.revision = self.revision
        return page

    def _next(self, person: Page) -> tuple[str, str] | None:
        key = person.next()
        self.revision = person.revision
        if key is None:
            return None
        with reading(self.settings) as session:
            return key, session.scalars(
                select(Asset.asset_id).join(Task, Task.asset_pk == Asset.id).where(Task.key == key)
            ).one()

    def _give(self, task: str, value: str) -> str | None:
        return task if self._sent(task, value, is_first=True) else None

    def _change(self, annotation: str, changed: str) -> bool:
        return self._sent(annotation, changed, is_first=False)

    def _sent(self, key: str, value: str, is_first: bool) -> bool:
        once = str(uuid4())
        return bool(self._until_taken(lambda page: page.send(once, key, value, is_first)) == STORED)
