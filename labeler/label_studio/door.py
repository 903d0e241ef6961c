"""Attune's own door in Label Studio: whether it is there, and opening and ending a person's access through it."""

from __future__ import annotations

from dataclasses import dataclass

from labeler.label_studio.client import LabelStudio


@dataclass(frozen=True)
class Ended:
    """What became of a person's access to Label Studio.

    ``ended``: plain phrases such as "2 sessions" or "the login". ``still_open``: plain sentences, each with what did
    not end and what to do; empty where everything ended.
    """

    ended: tuple[str, ...]
    still_open: tuple[str, ...]


def is_guarded(ls: LabelStudio) -> bool:
    """Whether Attune's modules stand in front of this Label Studio. Raises LabelStudioUnreachable."""
    raise NotImplementedError


def open_login(ls: LabelStudio, email: str, password: str) -> int:
    """Make the user ``email``, or open its login, with the new ``password``; the user's id.

    Whatever an older password opened (sessions, tokens) ends. Raises SettingsError for a password under 8 characters
    and for a Label Studio without our modules, where nobody can set a password from outside; LabelStudioRefused.
    """
    raise NotImplementedError


def end_access(ls: LabelStudio, email: str) -> Ended:
    """End all that ``email`` may do in Label Studio; an address that it does not know is fine. Answers stay.

    With a Label Studio that runs elsewhere without our modules, what its API allows is ended, and the rest is named.
    Raises LabelStudioUnreachable, LabelStudioRefused where it is the administrator's own address.
    """
    raise NotImplementedError
