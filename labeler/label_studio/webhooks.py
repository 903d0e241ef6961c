"""A project's webhook: Label Studio calls its address after each answer, and says no more than that there is one."""

from __future__ import annotations

from typing import Any

from attune.labeler.label_studio.client import LabelStudio

# Named one by one: "all actions" would call us for every import of tasks, which are our own.
ACTIONS = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED")
SECRET_HEADER = "X-Attune-Secret"


def make(ls: LabelStudio, project: int, url: str, secret: str) -> int:
    """Let Label Studio call ``url`` with ``secret`` after each change of an answer in the project; the webhook's id."""
    with ls.errors():
        hook = ls.sdk.webhooks.create(
            url=url,
            project=project,
            send_payload=False,  # no answer and no image's address leaves Label Studio: the url names the project
            send_for_all_actions=False,
            is_active=True,
            actions=list(ACTIONS),
            headers={SECRET_HEADER: secret},
        )
    return int(hook.id)


def is_right(hook: Any, url: str, secret: str) -> bool:
    """Whether a webhook, as Label Studio lists it, is as `make` makes it."""
    return (
        hook.url == url
        and hook.is_active is not False
        and hook.send_payload is False
        and set(hook.actions or ()) == set(ACTIONS)
        and (hook.headers or {}).get(SECRET_HEADER) == secret
    )


def calls(ls: LabelStudio, project: int, webhook: int | None, url: str, secret: str) -> bool:
    """Whether the project's webhook is there and as it must be."""
    with ls.errors():
        hooks = ls.sdk.webhooks.list(project=str(project))
    return any(hook.id == webhook and is_right(hook, url, secret) for hook in hooks)
