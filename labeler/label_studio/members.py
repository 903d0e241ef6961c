"""Who is a member of which project in Label Studio: what the guard there asks before it shows a queue to anyone.

Label Studio's community edition has the rows and makes no use of them; Attune's own addresses read and set them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attune.labeler.label_studio.client import LabelStudio
from attune.models.errors import LabelStudioRefused

PATH = "/attune/members"


def current_members(ls: LabelStudio) -> dict[int, list[str]] | None:
    """Project's id -> addresses of its members, in lower case; None for a Label Studio without Attune's modules."""
    try:
        reply = ls.request("GET", PATH)
    except LabelStudioRefused as error:
        if error.status == 404:
            return None
        raise
    return {int(project): list(addresses) for project, addresses in reply["members"].items()}


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


def restore_members(ls: LabelStudio, members: Mapping[int, Sequence[str]]) -> list[int]:
    """Set the members of those projects of ``members`` that have others; their ids."""
    there = current_members(ls)
    if there is None:
        return []
    other = {project: who for project, who in members.items() if sorted(who) != sorted(there.get(project, []))}
    set_members(ls, other)
    return sorted(other)
