"""Which kinds of notices a person wants by mail: all that concern them, unless they choose otherwise."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select

from attune.labeler.notices import notices
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError

# In the order of the page, with what each tells.
OWNERS = {
    notices.GATE: "a new version passes its gates",
    notices.SETTLED: "a question has settled",
    notices.DISAGREE: "experts disagree",
    notices.DRIFT: "scores of new images drift",
    notices.STALLED: "nobody answers a question",
    notices.EMPTY: "a queue is empty",
    notices.LEFT_OUT: "answers in Label Studio are not counted",
    notices.PUBLISHED: "a version is published",
    notices.ROLLED_BACK: "a version is rolled back",
    notices.RETIRED: "a version is retired",
    notices.FAILED: "a job fails",
}
OWN = {
    notices.WAITING: "images wait for you",
    notices.COMMENT: "somebody writes in a thread of yours",
    notices.LOOK: "somebody asks you to look at an answer again",
}


def kinds(viewer: Viewer) -> dict[str, str]:
    """The kinds that ``viewer`` may get, with what each tells."""
    return {**(OWNERS if viewer.manages else {}), **OWN}


def wanted(settings: Settings, viewer: Viewer) -> list[str]:
    """Those that come by mail."""
    with reading(settings) as session:
        silent = session.scalar(select(User.no_mail).where(User.id == viewer.user_id)) or []
    return [kind for kind in kinds(viewer) if kind not in silent]


def choose(settings: Settings, viewer: Viewer, by_mail: Collection[str]) -> Sequence[str]:
    """Have the kinds ``by_mail`` come by mail, and no others; what comes now.

    Raises DataError for a kind that is none of the viewer's, and for one without a login.
    """
    there = kinds(viewer)
    if unknown := [kind for kind in by_mail if kind not in there]:
        raise DataError(f"{unknown[0][:40]!r} is no kind of notice that you get. Load the page Notices again.")
    with writing(settings) as session:
        user = session.get(User, viewer.user_id, with_for_update=True) if viewer.user_id is not None else None
        if user is None:
            raise DataError("Only a person with a login chooses which notices come by email. Log in to the console.")
        others = [kind for kind in user.no_mail if kind not in there]  # of a role of before
        user.no_mail = [*others, *(kind for kind in there if kind not in by_mail)]
    return wanted(settings, viewer)
