"""People of a Label Studio for the tests of its doors: two experts with a queue each, a leaver, and nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from attune.labeler.label_studio import door, members, projects
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.queue_tasks import NewTask, add
from tests.support.services import PASSWORD, Services

MINE, OTHERS = "mine@example.org", "others@example.org"


@dataclass
class Holding:
    """What one expert has in Label Studio, by what it is called in an address."""

    session: ExpertSession
    ids: dict[str, int]


def holding(ls: LabelStudio, email: str, hook: str) -> Holding:
    """A login, a queue of four images, one of them answered and one begun."""
    user = door.open_login(ls, email, PASSWORD)
    made = projects.create(ls, f"queue of {email}", "Romantic?", ["romance", "neither"], "", hook, "the-secret")
    members.set_members(ls, {made.id: [email]})
    new = [NewTask(f"{email}-{number}", f"http://127.0.0.1/{email}/{number}.png", number / 10) for number in range(5)]
    tasks = [one.task for one in add(ls, made.id, new, "first")]
    session = ExpertSession.login(ls.address, email, PASSWORD)
    annotation, draft = session.answer(tasks[0], "romance"), session.draft(tasks[1], "neither")
    ids = {"project": made.id, "view": made.view, "webhook": made.webhook or 0, "task": tasks[0], "open_task": tasks[2]}
    return Holding(session, ids | {"annotation": annotation, "draft": draft, "user": user, "drafted_task": tasks[1]})


def tokens(services: Services, email: str) -> dict[str, str]:
    """A legacy token and a personal one, as somebody would have made them before the doors were shut."""
    made: dict[str, str] = services.inside.run(
        f"""
from users.models import User
from rest_framework.authtoken.models import Token
from jwt_auth.models import LSAPIToken
user = User.objects.get(email={email!r})
refresh = LSAPIToken.for_user(user)
print(json.dumps({{"legacy": Token.objects.get(user=user).key, "refresh": refresh.get_full_jwt(),
                   "access": str(refresh.access_token)}}))
""",
    )
    return made


def ask(
    address: str, session: requests.Session | None, method: str, path: str, body: Any = None, **more: Any
) -> requests.Response:
    """One request, redirects not followed; without a session as nobody."""
    headers: Mapping[str, str] = more.pop("headers", {})
    asker = session if session is not None else requests.Session()
    try:
        return asker.request(
            method, address + path, json=body, headers=headers, allow_redirects=False, timeout=60, **more
        )
    finally:
        if session is None:
            asker.close()
