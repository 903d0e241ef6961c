"""Which answers count: the newest of each expert on each image, under a definition that still holds."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy import select

from attune.labeler.answers import totals
from attune.labeler.records.schema import Annotation, Asset, AttributeRevision, Expert
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.labels.answers import Answer, latest
from tests.support import factories


def counted(settings: Settings, attribute: object) -> totals.Counts:
    with reading(settings) as session:
        return totals.count(session, {attribute.id: attribute.classes})[attribute.id]


def test_counts_are_those_of_the_learners_own_rule(studio: Settings) -> None:
    with reading(studio) as session:
        rows = session.execute(
            select(Annotation, Asset.asset_id, Asset.title_id, Expert.email)
            .join(Asset, Asset.id == Annotation.asset_pk)
            .join(Expert, Expert.id == Annotation.expert_id)
        ).all()
        names = {one.attribute_id for one, *_ in rows}
        for attribute_id in names:
            given = [
                Answer(asset, title, email, one.value, one.purpose, one.answered_at)
                for one, asset, title, email in rows
                if one.attribute_id == attribute_id
            ]
            expected = Counter(answer.value for answer in latest(given))
            found = totals.count(
                session,
                {attribute_id: ["serious", "not serious", "romance", "friendship", "neither", "tender", "not tender"]},
            )
            counts = found[attribute_id]
            assert {k: v for k, v in counts.by_value.items() if v} == {k: v for k, v in expected.items() if k != "skip"}
            assert counts.skips == expected["skip"]
            assert counts.answers == sum(expected.values()) - expected["skip"]


def test_a_changed_mind_counts_once_and_a_skip_takes_it_back(settings: Settings) -> None:
    romance, (asset, other) = factories.add_attribute(settings), factories.add_assets(settings, 2)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    for minute, value in enumerate(("romance", "neither")):
        factories.add_answer(settings, queue, asset, value, at=now() + timedelta(minutes=minute))
    factories.add_answer(settings, queue, other, "romance")
    assert dict(counted(settings, romance).by_value) == {"romance": 1, "friendship": 0, "neither": 1, "unsure": 0}
    factories.add_answer(settings, queue, asset, "skip", at=now() + timedelta(minutes=9))
    counts = counted(settings, romance)
    assert (counts.answers, counts.assets, counts.skips) == (1, 1, 1)


def test_a_deleted_answer_does_not_count(settings: Settings) -> None:
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    factories.add_answer(settings, queue, asset, "romance", deleted_at=now())
    assert counted(settings, romance).answers == 0


def test_answers_under_a_definition_that_no_longer_holds_do_not_count(settings: Settings) -> None:
    romance, assets = factories.add_attribute(settings), factories.add_assets(settings, 3)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    for revision, asset in enumerate(assets, 1):
        factories.add_answer(settings, queue, asset, "romance", revision=revision)
    with writing(settings) as session:
        for revision, holds in ((2, True), (3, False)):
            session.add(
                AttributeRevision(
                    attribute_id=romance.id, revision=revision, content={}, answers_hold=holds, created_at=now()
                )
            )
    assert counted(settings, romance).answers == 1


def test_nothing_is_counted_where_nothing_was_said(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    counts = counted(settings, romance)
    assert (counts.answers, counts.assets, counts.experts, counts.at_work) == (0, 0, (), 0)


def test_only_who_answered_lately_is_at_work(settings: Settings) -> None:
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    for email, days in (("ana@example.org", 0), ("bo@example.org", 2)):
        queue = factories.add_queue(settings, romance, factories.add_expert(settings, email))
        factories.add_answer(settings, queue, asset, "romance", at=now() - timedelta(days=days))
    assert counted(settings, romance).at_work == 1
