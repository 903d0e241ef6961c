"""Attune's own door in Label Studio: whether it is there, and opening and ending a person's access through it.

The door is made by the modules in ``django/``, which run inside Label Studio. One that runs elsewhere may lack them:
then little can be ended from here, and what stays open is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attune.labeler.label_studio.accounts import find_user
from attune.labeler.label_studio.client import LabelStudio
from attune.models.errors import LabelStudioRefused, SettingsError

SHORTEST_PASSWORD = 8
DOOR, LOGINS = "/attune/door", "/attune/logins"
NAMES = {
    "login": ("the login", "{} logins"),
    "sessions": ("1 session", "{} sessions"),
    "tokens": ("1 token", "{} tokens"),
    "queues": ("membership of 1 queue", "membership of {} queues"),
    "locks": ("1 image that was open", "{} images that were open"),
}


@dataclass(frozen=True)
class Ended:
    """What became of a person's access to Label Studio.

    ``ended``: plain phrases such as "2 sessions" or "the login". ``still_open``: plain sentences, each with what did
    not end and what to do; empty where everything ended.
    """

    ended: tuple[str, ...]
    still_open: tuple[str, ...]


def is_guarded(ls: LabelStudio) -> bool:
    """Whether Attune's modules stand in front of this Label Studio.

    Raises LabelStudioUnreachable, and LabelStudioRefused where it does not take our token.
    """
    try:
        reply = ls.request("GET", DOOR)
    except LabelStudioRefused as error:
        if error.status == 404:
            return False
        raise
    return isinstance(reply, dict) and "fingerprint" in reply


def open_login(ls: LabelStudio, email: str, password: str) -> int:
    """Make the user ``email``, or open its login, with the new ``password``; the user's id.

    Whatever an older password opened (sessions, tokens) ends. Raises SettingsError for a password under 8 characters
    and for a Label Studio without our modules, where no one can set a password from outside; LabelStudioUnreachable,
    LabelStudioRefused.
    """
    check(email, password)
    try:
        reply = ls.request("POST", LOGINS, {"email": email, "password": password})
    except LabelStudioRefused as error:
        if error.status == 404:
            raise SettingsError(
                f"Label Studio at {ls.address} runs without Attune's modules, so Attune cannot set the password "
                f"of {email}. On its computer, run `label-studio reset_password --username {email}`, or start "
                "it with the modules (see docs/explanation/security.md)."
            ) from error
        raise
    return int(reply["id"])


def check(email: str, password: str) -> None:
    """Raise SettingsError where Label Studio would not take the password."""
    if len(password) < SHORTEST_PASSWORD:
        raise SettingsError(
            f"The password for {email} has {len(password)} characters. Label Studio needs at least {SHORTEST_PASSWORD}."
        )


def end_access(ls: LabelStudio, email: str, had_login: bool = True) -> Ended:
    """End all that ``email`` may do in Label Studio; an address that it does not know is fine. Answers stay.

    With a Label Studio that runs elsewhere without our modules, what its API allows is ended, and the rest is named:
    it lists no one who is out of its organisation, so ``had_login`` says whether Attune knows of a login there.
    Raises LabelStudioUnreachable, and LabelStudioRefused where it is the administrator's own address.
    """
    try:
        reply = ls.request("POST", LOGINS, {"email": email, "password": None})
    except LabelStudioRefused as error:
        if error.status != 404:
            raise
        return _by_its_api(ls, email, had_login)
    counts: dict[str, int] = reply["ended"]
    return Ended(tuple(_phrase(name, counts[name]) for name in NAMES if counts.get(name)), ())


def erase_person(ls: LabelStudio, email: str, alias: str) -> tuple[str, ...]:
    """Put ``alias`` in the place of the user ``email``, whose answers keep an author; sentences of what stays there.

    Done twice it finds nobody, which is fine. Raises LabelStudioUnreachable, LabelStudioRefused.
    """
    try:
        reply = ls.request("POST", LOGINS, {"email": email, "password": None, "erased_as": alias})
    except LabelStudioRefused as error:
        if error.status != 404:
            raise
        return (_stays(ls, email),)
    # Modules of an older release end the access and know of no erasure.
    return () if "erased" in reply else (_stays(ls, email),)


def _stays(ls: LabelStudio, email: str) -> str:
    """Without the address, as the sentence is kept."""
    user = find_user(ls, email)
    number = "The user" if user is None else f"The user {user}"
    return (
        f"{number} of Label Studio at {ls.address} still has the address and the name, because it runs without "
        "Attune's newest modules. Change them there by hand: email and user name, first and last name, phone."
    )


def _phrase(name: str, count: int) -> str:
    one, several = NAMES[name]
    return one if count == 1 else several.format(count)


def _by_its_api(ls: LabelStudio, email: str, had_login: bool) -> Ended:
    """What the community edition's API can end: the membership of the organisation, and the invitation link."""
    me = ls.me()
    if str(me.get("email", "")).casefold() == email.casefold():
        raise LabelStudioRefused(
            f"{email} is the administrator of Label Studio, which Attune uses itself. Nothing was changed.", 400
        )
    ended: list[str] = []
    user = find_user(ls, email)  # None also where that membership ended before
    if user is not None:
        organisation = me.get("active_organization") or _organisation(ls)
        ls.request("DELETE", f"/api/organizations/{organisation}/memberships/{user}/")
        ended.append("membership of Label Studio's organisation")
    ls.request("POST", "/api/invite/reset-token")
    ended.append("invitation link renewed")
    if user is None and not had_login:
        return Ended(tuple(ended), ())
    open_still = (
        f"Label Studio at {ls.address} runs without Attune's modules, so the login of {email} stays there, with "
        "its password, sessions and token. To end them, set another password on its computer (`label-studio "
        f"reset_password --username {email}`) and delete the user's tokens. Or start it with the modules (see "
        "docs/explanation/security.md).",
    )
    return Ended(tuple(ended), open_still)


def _organisation(ls: LabelStudio) -> int:
    found: list[dict[str, Any]] = ls.request("GET", "/api/organizations/")
    return int(found[0]["id"])
