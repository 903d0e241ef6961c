"""Who is a member of which project in Label Studio, which the guard there asks before it shows a queue to anyone, and
whose logins are open.

Label Studio's community edition has the rows and makes no use of them; Attune's own addresses read and set them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attune.labeler.label_studio.client import LabelStudio
from attune.models.errors import LabelStudioRefused

PATH = "/attune/members"


@dataclass(frozen=True)
class Held:
    """Project's id -> addresses of its members, and the addresses of the logins that are open but the administrator's,
    all in lower case.
    """

    members: dict[int, list[str]]
    logins: list[str]


def current_members(ls: LabelStudio) -> Held | None:
    """Who may see what; None for a Label Studio without Attune's modules. Without logins where they are older ones."""
    try:
        reply = ls.request("GET", PATH)
    except LabelStudioRefused as error:
        if error.status == 404:
            return None
        raise
    members = {int(project): list(addresses) for project, addresses in reply["members"].items()}
    return Held(members, list(reply.get("logins", ())))


def set_members(ls: LabelStudio, members: Mapping[int, Sequence[str]]) -> None:
    """Set the members of the projects named, and of no other; nothing is done without Attune's modules.

    A project or a person that is gone is left out. Raises LabelStudioUnreachable, LabelStudioRefused.
    """
    try:
        if members:
            ls.request("POST", PATH, {str(project): sorted(addresses) for project, addresses in members.items()})
    except LabelStudioRefused as error:
        if error.status != 404:
            raise


def restore_members(ls: LabelStudio, there: Held, members: Mapping[int, Sequence[str]]) -> list[int]:
    """Set the members of those projects of ``members`` that have others ``there``; their ids."""
    other = {project: who for project, who in members.items() if sorted(who) != sorted(there.members.get(project, []))}
    set_members(ls, other)
    return sorted(other)
