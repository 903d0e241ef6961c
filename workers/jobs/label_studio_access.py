"""Jobs that carry people and revisions into Label Studio: `join` for an expert, `configure` for a question."""

from __future__ import annotations

from typing import Any

from attune.labeler.attributes import revise_attribute
from attune.labeler.jobs.jobs import Report
from attune.labeler.people import end_label_studio_access, invite
from attune.labeler.people import erase as erase_person
from attune.labeler.settings import Settings


def join(settings: Settings, report: Report, expert: str, login: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """Make what the expert needs in Label Studio. Raises LabelStudioUnreachable; the scheduler then asks again."""
    return invite.settle(settings, report, expert, login.get("nonce"), wanted)


def configure(settings: Settings, report: Report, attribute: str) -> dict[str, Any]:
    """Tell Label Studio what the attribute says now. Raises LabelStudioUnreachable; the scheduler then asks again."""
    return revise_attribute.configure(settings, report, attribute)


def leave(settings: Settings, report: Report, expert: str, here: dict[str, Any] | None = None) -> dict[str, Any]:
    """End what someone had in Label Studio; ``here`` tells pages what ended in the console.

    Raises LabelStudioUnreachable, LabelStudioRefused; the scheduler then asks again.
    """
    return end_label_studio_access.settle(settings, report, expert)


def erase(
    settings: Settings, report: Report, expert: str, alias: str, drop_answers: bool = False, who: str = ""
) -> dict[str, Any]:
    """Erase a person's data, here and in Label Studio. Raises LabelStudioUnreachable; the scheduler then asks again."""
    return erase_person.run(settings, report, expert, alias, drop_answers, who)
