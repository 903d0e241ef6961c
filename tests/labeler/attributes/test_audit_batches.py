"""Audit batches on demand: a total that only grows, refused where nothing could come of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler.attributes import attributes, audit_batches
from attune.labeler.records.schema import Attribute, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import measuring
from attune.models.errors import DataError, PoolExhausted, UnknownAttribute, UnknownExpert
from tests.support import factories


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = factories.workspace(tmp_path)
    romance = factories.add_attribute(made)
    with writing(made) as session:
        attributes.find(session, "romance").settings = {"seed": 5, "reserved_share": 0.2, "strategy": "attune"}
    ana, ben = factories.add_expert(made, "ana@example.org"), factories.add_expert(made, "ben@example.org")
    factories.add_queue(made, romance, ana)
    factories.add_queue(made, romance, ben)
    return made


def held(settings: Settings) -> Attribute:
    with reading(settings) as session:
        return attributes.find(session, "romance")


def test_requests_add_up_and_every_learner_hears_of_them(settings: Settings) -> None:
    before = held(settings).answers_counter
    audit_batches.request(settings, "romance", 30)
    wanted = audit_batches.request(settings, "romance", 10, ["ben@example.org"])
    assert (wanted.extra, tuple(wanted.experts)) == (40, ("ben@example.org",))
    assert held(settings).answers_counter == before + 2
    assert audit_batches.AuditRequest.of(held(settings)) == wanted
    assert held(settings).settings["reserved_share"] > 0


def test_what_could_never_be_asked_is_refused_with_what_there_is(settings: Settings) -> None:
    with pytest.raises(UnknownAttribute):
        audit_batches.request(settings, "nothing", 10)
    with pytest.raises(DataError, match="size is 0"):
        audit_batches.request(settings, "romance", 0)
    with pytest.raises(UnknownExpert, match=r"ana@example\.org, ben@example\.org"):
        audit_batches.request(settings, "romance", 10, ["chloe@example.org"])
    factories.add_run(settings, held(settings), answers=60, advice={"audits": {"left": 25, "extra": 0}})
    assert audit_batches.request(settings, "romance", 20).size == 20
    done = audit_batches.request(settings, "romance", 10)
    assert (done.size, done.extra) == (5, 25), "what is left"
    assert "only 5 reserved images are left" in audit_batches.requested(10, done.size)
    with pytest.raises(PoolExhausted, match="all reserved images of romance are drawn"):
        audit_batches.request(settings, "romance", 10)
    with writing(settings) as session:
        found = attributes.find(session, "romance")
        found.settings = found.settings | {"reserved_share": 0.0}
    with pytest.raises(DataError, match="reserved share 0"):
        audit_batches.request(settings, "romance", 10)


def test_the_offer_names_the_width_that_a_batch_would_bring(settings: Settings) -> None:
    found = measuring.of(settings, "romance")
    assert (found.answered, found.waiting, found.missing, found.experts) == (0, 0, 30, 2)
    assert [offer.size for offer in found.offers] == [30, 60, 120]
    widths = [found.width_after(offer.size) for offer in found.offers]
    assert all(width is not None for width in widths)
    assert widths == sorted(widths, key=lambda width: -(width or 0))
    told = zip(found.offers, widths, strict=True)
    assert all(f"quality known to about ±{(width or 0) / 2:.2f}" in offer.text for offer, width in told)
    factories.add_run(settings, held(settings), answers=60, advice={"audits": {"left": 40, "extra": 0}})
    assert [offer.size for offer in measuring.of(settings, "romance").offers] == [30]
    factories.add_run(settings, held(settings), answers=61, advice={"audits": {"left": 14, "extra": 0}})
    assert [offer.size for offer in measuring.of(settings, "romance").offers] == [14]


def test_a_batch_that_hardly_helps_is_not_offered_as_a_gain(settings: Settings) -> None:
    narrow = {"average_precision": factories.metric("average_precision", 0.95, half=0.041, n=4000)}
    factories.add_run(settings, held(settings), answers=60, advice={"audits": {"left": 400, "extra": 0}})
    with writing(settings) as session:
        run = session.scalars(select(Run)).one()
        run.metrics = {**run.metrics, **narrow}
    texts = [offer.text for offer in measuring.of(settings, "romance").offers]
    assert texts == [
        "the quality stays known to about ±0.04", "hardly more exact than with 30", "hardly more exact than with 60",
    ]  # fmt: skip
