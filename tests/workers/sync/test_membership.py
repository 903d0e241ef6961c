"""Each queue has one member in Label Studio, its expert: made with it, healed by a sync, ended with the expert."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs.jobs import quiet
from attune.labeler.label_studio import members
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.people import experts
from attune.labeler.queues import grids
from attune.labeler.records.schema import Expert, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import LabelStudioRefused
from attune.workers.sync import sync
from tests.support import factories
from tests.support.services import EMAIL, PASSWORD

pytestmark = [pytest.mark.services, pytest.mark.slow]
OTHER = "ben@example.org"


@pytest.fixture
def queues(live: Settings) -> dict[str, int]:
    """The projects of two experts' queues, by address."""
    factories.add_assets(live, 4)
    with writing(live) as session:
        attributes.create(session, Definition("tender", "Is the scene tender?", ["tender", "other"]), live)
    for email in (EMAIL, OTHER):
        experts.add(live, email, ["tender"], password=PASSWORD)
    with reading(live) as session:
        rows = select(Expert.email, Queue.project).join(Queue, Queue.expert_id == Expert.id)
        return {str(email): int(project) for email, project in session.execute(rows)}


def held(ls: LabelStudio, project: int) -> list[str]:
    there = members.current_members(ls)
    assert there
    return there.members.get(project, [])


def test_a_new_queue_and_a_new_page_have_their_member(live: Settings, ls: LabelStudio, queues: dict[str, int]) -> None:
    assert {email: held(ls, project) for email, project in queues.items()} == {EMAIL: [EMAIL], OTHER: [OTHER]}
    with reading(live) as session:
        found, person = attributes.find(session, "tender"), experts.find(session, EMAIL)
    assert held(ls, grids.ensure(live, ls, found, person).project) == [EMAIL]


def test_a_sync_heals_queues_of_before_there_were_members(
    live: Settings, ls: LabelStudio, queues: dict[str, int]
) -> None:
    with reading(live) as session:
        grid = grids.ensure(live, ls, attributes.find(session, "tender"), experts.find(session, EMAIL))
    elsewhere = ls.request("POST", "/api/projects", {"title": "made by hand"})["id"]
    wrong = {queues[EMAIL]: [], queues[OTHER]: [EMAIL, OTHER], grid.project: [OTHER], elsewhere: [OTHER]}
    members.set_members(ls, wrong)
    with ExpertSession.login(live.label_studio_address, EMAIL, PASSWORD) as session_there:
        with pytest.raises(LabelStudioRefused, match="not yours"):
            session_there.next_task(queues[EMAIL])
        sync.run(live, quiet)
        assert session_there.next_task(queues[EMAIL]) is None
        with pytest.raises(LabelStudioRefused, match="not yours"):
            session_there.next_task(queues[OTHER])
    assert [held(ls, one) for one in (*queues.values(), grid.project)] == [[EMAIL], [OTHER], [EMAIL]]
    assert held(ls, elsewhere) == [OTHER], "what is not this workspace's is left alone"


def test_a_sync_ends_the_membership_and_the_login_of_who_left_and_gives_them_back(
    live: Settings, ls: LabelStudio, queues: dict[str, int]
) -> None:
    with writing(live) as session:
        session.execute(update(Expert).where(Expert.email == EMAIL).values(removed_at=now()))
        session.execute(update(Queue).where(Queue.project == queues[EMAIL]).values(closed_at=now()))
    with ExpertSession.login(live.label_studio_address, EMAIL, PASSWORD) as opened:
        sync.run(live, quiet)
        assert held(ls, queues[EMAIL]) == []
        assert held(ls, queues[OTHER]) == [OTHER]
        with pytest.raises(LabelStudioRefused, match="Log in first"):
            opened.next_task(queues[EMAIL])
    with pytest.raises(LabelStudioRefused):
        ExpertSession.login(live.label_studio_address, EMAIL, PASSWORD)
    ExpertSession.login(live.label_studio_address, OTHER, PASSWORD).close()
    experts.add(live, EMAIL, ["tender"], password=PASSWORD)
    assert held(ls, queues[EMAIL]) == [EMAIL]
