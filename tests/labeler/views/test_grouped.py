"""Jobs, notices and queues in groups: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from attune.labeler.notices import notices
from attune.labeler.notices.notices import News
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Queue
from attune.labeler.records.session import engine, writing
from attune.labeler.settings import Settings
from attune.labeler.views import expert_queues
from attune.labeler.views.jobs import jobs_page
from attune.labeler.views.notice_groups import groups
from attune.models.clock import now
from tests.support import databases, factories

OWNER = Viewer("owner", "olga@example.org", None, None)


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    made = factories.workspace(tmp_path, database_url=databases.database(request))
    yield made
    engine(made.records_url).dispose()


def _without_subject(settings: Settings) -> list[tuple[str, str, bool, str]]:
    """Kind, state, whether it can be tried again, and whom a failure is about, of jobs that are about no question."""
    told = (
        ("sync", "failed", 50, {"whole": False}), ("sync", "failed", 40, {"whole": True}),
        ("sync", "done", 30, {"whole": False}), ("leave", "failed", 35, {"expert": "b@x.org"}),
        ("leave", "done", 34, {"expert": "a@x.org"}),
    )  # fmt: skip
    for kind, state, minutes, asked in told:
        at = now() - timedelta(minutes=minutes)
        factories.add_job(settings, kind, state, arguments=asked, created_at=at, finished_at=at)
    shown = [one for one in jobs_page(settings).groups.items if one.kind in {"sync", "leave"}]
    return [(one.kind, one.state, one.may_retry, one.subject if one.failed else "") for one in shown]


@pytest.mark.parametrize("settings", databases.BOTH, indirect=True)
def test_what_belongs_together_is_one_group(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    for asset in factories.add_assets(settings, 2):
        factories.add_task(settings, queue, asset)
    told = (("learn", "done", 1), ("learn", "failed", 2), ("learn", "failed", 3), ("score", "failed", 9 * 1440))
    for kind, state, minutes in told:
        at = now() - timedelta(minutes=minutes)
        asked = {"attribute": "romance", "size": 40}
        factories.add_job(settings, kind, state, subject="romance", arguments=asked, created_at=at, finished_at=at)
    found = [(one.kind, one.state, one.times, one.may_retry) for one in jobs_page(settings).groups.items]
    mended, old = ("learn", "failed", 2, False), ("score", "failed", 1, True)
    assert found == [("learn", "done", 1, False), mended, old]
    assert [one.times for one in jobs_page(settings, "failed").groups.items] == [2, 1]
    assert _without_subject(settings) == [
        ("leave", "failed", True, "b@x.org"),  # nobody else's end is this person's
        ("sync", "failed", True, ""),  # a short sync compares less than the whole one that failed
        ("sync", "done", False, ""),
        ("leave", "done", False, ""),
        ("sync", "failed", False, ""),
    ]
    for number, kind in enumerate(("drift", "settled", "drift")):
        notices.record_news(settings, [News(f"k{number}", kind, kind, "", "/", romance.id)])
    assert [(one.kind, one.total) for one in groups(settings, OWNER).items] == [("drift", 2), ("settled", 1)]
    with writing(settings) as session:
        session.get_one(Queue, queue.id).stopped_at = now()
    (shown,) = expert_queues.of(settings, "romance")
    assert (shown.waiting, shown.state) == (0, "stopped")
