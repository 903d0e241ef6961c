"""The job `join`: an expert's login and queues in Label Studio."""

from __future__ import annotations

from typing import Any

from labeler import joining
from labeler.jobs import Report
from labeler.settings import Settings


def join(settings: Settings, report: Report, expert: str, login: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """Make what the expert needs in Label Studio. Raises LabelStudioUnreachable; the clockwork then asks again."""
    return joining.settle(settings, report, expert, login.get("nonce"), wanted)
