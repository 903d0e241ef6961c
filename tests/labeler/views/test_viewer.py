"""What an expert must not see before answering, and nobody after a removal."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from attune.labeler.answers import counting
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset, Expert, Pick
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.assets import assets
from attune.labeler.views.disagreements import disputed_images
from attune.labeler.views.recent import COVERS, recent
from attune.models.clock import now
from tests.labeler.views.conftest import OWNER
from tests.support import factories


def viewer(expert: Expert) -> Viewer:
    return Viewer("expert", expert.email, expert.id)


def test_an_expert_sees_others_answers_only_where_an_own_one_was_given(settings: Settings) -> None:
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    ana, bo, chidi = (factories.add_expert(settings, f"{name}@example.org") for name in ("ana", "bo", "chidi"))
    queues = {one.name: factories.add_queue(settings, romance, one) for one in (ana, bo, chidi)}
    two_days = now() - timedelta(days=2)
    factories.add_answer(settings, queues["Ana"], asset, "romance", at=two_days)
    factories.add_answer(settings, queues["Bo"], asset, "neither", at=two_days)
    factories.add_task(settings, queues["Chidi"], asset, "second-opinion")

    def shown(who: Viewer) -> list[object]:
        with reading(settings) as session:
            return [one.sides for one in disputed_images(session, who, romance.id, romance.classes).items]

    sides = [[("romance", ["Ana"]), ("neither", ["Bo"])]]
    assert shown(OWNER) == shown(viewer(ana)) == sides
    assert shown(viewer(chidi)) == []
    factories.add_answer(settings, queues["Chidi"], asset, "skip", at=two_days)
    assert shown(viewer(chidi)) == []
    fresh = factories.add_answer(settings, queues["Chidi"], asset, "friendship")
    assert shown(viewer(chidi)) == [], "it could be answered anew with a look at the others"
    with writing(settings) as session:
        session.execute(
            update(Annotation).where(Annotation.id == fresh.id).values(updated_at=now() - timedelta(days=1))
        )
    assert shown(viewer(chidi)) == [[("romance", ["Ana"]), ("friendship", ["Chidi"]), ("neither", ["Bo"])]]


def test_an_expert_reads_no_others_answer_on_an_image_of_the_own_choice(settings: Settings) -> None:
    """To choose it, answer anything, look, and answer anew showed what any person had said on any image."""
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    ana, bo = (factories.add_expert(settings, f"{name}@example.org") for name in ("ana", "bo"))
    for one, value in ((ana, "romance"), (bo, "neither")):
        queue = factories.add_queue(settings, romance, one)
        factories.add_answer(settings, queue, asset, value, at=now() - timedelta(days=2))
    with writing(settings) as session:
        columns = {"attribute_id": romance.id, "expert_id": bo.id, "asset_pk": asset.id, "created_at": now()}
        session.add(Pick(who=bo.email, **columns))
    with reading(settings) as session:
        assert disputed_images(session, viewer(bo), romance.id, romance.classes).total == 0
        assert disputed_images(session, viewer(ana), romance.id, romance.classes).total == 1
        session.rollback()
    with writing(settings) as session:
        session.execute(update(Pick).values(who="olga@example.org"))
    with reading(settings) as session:
        assert disputed_images(session, viewer(bo), romance.id, romance.classes).total == 1


def test_an_owner_who_answers_too_reads_no_others_answer_on_what_waits_for_them(settings: Settings) -> None:
    romance, (asked, other) = factories.add_attribute(settings), factories.add_assets(settings, 2)
    ana, bo, olga = (factories.add_expert(settings, f"{name}@example.org") for name in ("ana", "bo", "olga"))
    for expert, value in ((ana, "romance"), (bo, "neither")):
        queue = factories.add_queue(settings, romance, expert)
        for asset in (asked, other):
            factories.add_answer(settings, queue, asset, value)
    mine, who = factories.add_queue(settings, romance, olga), Viewer("owner", "olga@example.org", olga.id, 1)
    factories.add_task(settings, mine, asked, "second-opinion")

    def shown() -> tuple[set[str], set[str]]:
        with reading(settings) as session:
            disputes = disputed_images(session, who, romance.id, romance.classes).items
            given = recent(session, who, romance.id).items
        return {one.picture.asset_id for one in disputes}, {one.picture.asset_id for one in given}

    assert shown() == ({other.asset_id}, {other.asset_id})
    factories.add_answer(settings, mine, asked, "neither")
    assert shown() == ({asked.asset_id, other.asset_id}, {asked.asset_id, other.asset_id})


def test_unsure_is_no_side_of_a_dispute(settings: Settings) -> None:
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    for name, value in (("ana", "romance"), ("bo", "unsure"), ("chidi", "skip")):
        queue = factories.add_queue(settings, romance, factories.add_expert(settings, f"{name}@example.org"))
        factories.add_answer(settings, queue, asset, value)
    with reading(settings) as session:
        assert disputed_images(session, OWNER, romance.id, romance.classes).total == 0


def test_the_most_evenly_split_comes_first(studio: Settings) -> None:
    with reading(studio) as session:
        from attune.labeler.attributes import attributes

        one = attributes.find(session, "tender")
        found = disputed_images(session, OWNER, one.id, one.classes, size=100)
    shares = [
        max(len(names) for _, names in c.sides if _ != "unsure") / sum(len(n) for _, n in c.sides if _ != "unsure")
        for c in found.items
    ]
    assert shares == sorted(shares)
    assert found.total == len(shares) > 3


def test_an_audit_cannot_be_told_by_its_reason(settings: Settings) -> None:
    romance, listed = factories.add_attribute(settings), factories.add_assets(settings, 3)
    ana = factories.add_expert(settings)
    queue = factories.add_queue(settings, romance, ana)
    for asset, purpose in zip(listed, ("audit", "spread", "borderline"), strict=True):
        factories.add_task(settings, queue, asset, purpose, reason=f"because {purpose}")
        factories.add_answer(settings, queue, asset, "romance", at=now() - timedelta(minutes=3))
    for who in (viewer(ana), OWNER):
        with reading(settings) as session:
            reasons = {one.reason for one in recent(session, who, romance.id).items}
        assert reasons == {COVERS, "because borderline"}


def test_recent_answers_are_ones_own_unless_one_manages(studio: Settings, ana: Viewer) -> None:
    from attune.labeler.attributes import attributes

    with reading(studio) as session:
        one = attributes.find(session, "serious-expression")
        own, everybodys = recent(session, ana, one.id, size=200), recent(session, OWNER, one.id, size=200)
    assert {given.expert for given in own.items} == {"Ana"}
    assert {given.expert for given in everybodys.items} == {"Ana", "Bo", "Chidi"}
    assert all(given.correctable for given in own.items)
    assert not any(given.correctable for given in everybodys.items)
    times = [given.answered_at for given in own.items]
    assert times == sorted(times, reverse=True)


def test_a_removed_image_is_shown_to_nobody(settings: Settings) -> None:
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    experts = [factories.add_expert(settings, f"{name}@example.org") for name in ("ana", "bo")]
    for expert, value in zip(experts, ("romance", "neither"), strict=True):
        factories.add_answer(settings, factories.add_queue(settings, romance, expert), asset, value)
    with writing(settings) as session:
        session.execute(update(Asset).values(removed_at=now()))
    for who in (OWNER, viewer(experts[0])):
        with reading(settings) as session:
            assert disputed_images(session, who, romance.id, romance.classes).total == 0
            assert recent(session, who, romance.id).total == 0
        assert assets(settings, who).pictures.total == 0


def test_of_the_removed_images_only_those_with_an_answer_are_read(settings: Settings) -> None:
    romance, (answered, _) = factories.add_attribute(settings), factories.add_assets(settings, 2)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    factories.add_answer(settings, queue, answered, "romance")
    with writing(settings) as session:
        session.execute(update(Asset).values(removed_at=now()))
    with reading(settings) as session:
        assert session.scalars(counting.answered_and_removed(romance.id)).all() == [answered.id]


def test_an_expert_sees_the_images_that_were_put_to_them_and_no_others(settings: Settings) -> None:
    romance, listed = factories.add_attribute(settings), factories.add_assets(settings, 3)
    ana = factories.add_expert(settings)
    factories.add_task(settings, factories.add_queue(settings, romance, ana), listed[0])
    assert [one.pk for one in assets(settings, viewer(ana)).pictures.items] == [listed[0].id]
    assert assets(settings, Viewer("expert", "nobody", None)).pictures.total == 0
    assert assets(settings, OWNER).pictures.total == 3
