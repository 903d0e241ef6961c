"""Who has a login in Label Studio."""

from __future__ import annotations

from attune.labeler.label_studio.client import LabelStudio


def find_user(ls: LabelStudio, email: str) -> int | None:
    """The id of the user ``email`` (case does not matter), or None."""
    return next((user for user, address in addresses(ls).items() if address == email.casefold()), None)


def addresses(ls: LabelStudio) -> dict[int, str]:
    """User id -> address, in lower case, of everyone with a login.

    Without whom Label Studio has taken out of its organisation: it calls them all "Deleted".
    """
    users = ls.request("GET", "/api/users/")
    return {int(user["id"]): str(user["email"]).casefold() for user in users if "@" in str(user.get("email"))}
