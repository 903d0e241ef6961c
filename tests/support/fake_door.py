"""A Label Studio's door that ends, or leaves open, what a test says: the real one is tried with real services."""

from __future__ import annotations

from typing import Any, Self

import pytest

from attune.labeler.label_studio import LabelStudio, door, members
from attune.labeler.label_studio.door import Ended
from attune.models.errors import LabelStudioUnreachable

ADMINISTRATOR = "attune@localhost"


class FakeDoor:
    """Stands for the connection and for ``door``: who was shut out, who was let in with which password."""

    def __init__(self) -> None:
        self.ends = Ended(("the login", "2 sessions", "1 token"), ())
        self.away = False
        self.shut: list[str] = []
        self.opened: dict[str, str] = {}
        self.members: dict[str, list[str]] = {}
        self.erased: dict[str, str] = {}
        self.titles: dict[str, str] = {}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Take the place of the real one."""
        monkeypatch.setattr(LabelStudio, "connect", lambda _: self)
        monkeypatch.setattr(door, "end_access", self.end_access)
        monkeypatch.setattr(door, "open_login", self.open_login)
        return self

    def end_access(self, _: Any, email: str, _had_login: bool = True) -> Ended:
        """As the real one has it."""
        self.shut.append(email)
        self.opened.pop(email, None)
        return self.ends

    def open_login(self, _: Any, email: str, password: str) -> int:
        """As the real one has it."""
        self.opened[email] = password
        return len(self.opened)

    def me(self) -> dict[str, Any]:
        """The administrator, unless Label Studio is away."""
        if self.away:
            raise LabelStudioUnreachable("Label Studio does not answer at 127.0.0.1:9. Is it up?")
        return {"id": 1, "email": ADMINISTRATOR}

    def request(self, method: str, path: str, body: Any = None, **_: Any) -> Any:
        """The list of users, who are those let in; members are kept as they are set."""
        if method == "PATCH":
            self.titles[path] = body["title"]
            return {}
        if path == door.LOGINS:
            self.erased[body["email"]] = body["erased_as"]
            return {"ended": {}, "erased": 1}
        if path == members.PATH:
            self.members |= body or {}
            return {"members": self.members, "logins": sorted(self.opened)}
        assert (method, path) == ("GET", "/api/users/")
        return [{"id": number, "email": email} for number, email in enumerate(self.opened, 1)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""
