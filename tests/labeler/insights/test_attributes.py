"""Attributes take part by their champion; audits correct the figure for its errors, and without them there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.insights import audited, features, insights, publishing, questions
from attune.labeler.insights.words import words
from attune.labeler.jobs import jobs
from attune.labeler.performance import imports
from attune.labeler.records.schema import Annotation, Asset, Attribute
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, NotEnoughLabels
from attune.workers.jobs import run_insights
from tests.labeler.catalog import judged

EFFECT = 0.4


def performing(settings: Settings, folder: Path) -> None:
    """Random rows in which what is truly serious is taken more often, whatever the probe says."""
    with reading(settings) as session:
        rows = session.execute(select(Asset.asset_id, Asset.title_id).order_by(Asset.id)).all()
    x = np.random.default_rng([judged.ASSETS, 0]).normal(size=(judged.ASSETS, 8)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    rng = np.random.default_rng(4)
    lines = ["asset_id,title_id,canvas,impressions,takes"]
    for (asset, title), serious in zip(rows, x[:, 0] > 0.25, strict=True):
        rate = 0.05 * np.exp(EFFECT * serious + rng.normal(0, 0.05))
        lines.append(f"{asset},{title},home,20000,{rng.binomial(20000, rate)}")
    (folder / "takes.csv").write_text("\n".join([*lines, ""]))
    imports.add(settings, str(folder / "takes.csv"), arm="explore")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A champion of ``serious`` that errs, over 600 images with performance, and 140 audits."""
    folder = tmp_path_factory.mktemp("attributes")
    made = judged.filled(folder / "workspace", audits=140)
    moved = promote(made, Move("serious", "latest", "r", "ana"))
    jobs.run_here(made, "score", attribute="serious", version=moved.version)
    performing(made, folder)
    return made


def test_an_attribute_is_corrected_by_its_audits_with_the_uncorrected_figure_beside(settings: Settings) -> None:
    known = features.known(settings)["serious"]
    assert (known.kind, known.classes) == ("attribute", ("serious", "not serious"))
    questions.ask(settings, known, who="olga")
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    corrected, uncorrected = one.figures["corrected"], one.figures["uncorrected"]
    assert one.figures["estimate"] == corrected["estimate"] != uncorrected["estimate"]
    assert corrected["audits"] >= 100
    assert corrected["se"] > uncorrected["se"]  # the audits' luck is in it
    assert corrected["ci"][0] < EFFECT < corrected["ci"][1]
    assert "serious" in words(one).sentence
    (part,) = [part for part in one.newest.inputs["of"] if "feature" in part]
    assert part["version"] == known.version
    assert part["audits"] == known.audits
    with writing(settings) as session:  # an expert corrects an audit answer
        first = session.scalars(select(Annotation).where(Annotation.purpose == "audit")).first()
        assert first is not None
        session.execute(update(Annotation).where(Annotation.attribute_id == first.attribute_id).values(
            updated_at=first.updated_at.replace(year=first.updated_at.year + 1)
        ))  # fmt: skip
    assert insights.find(settings, one.row.id).moved == ("serious has other audit answers",)


def test_without_enough_audits_there_is_no_figure_only_one_to_strike_through(tmp_path: Path) -> None:
    settings = judged.filled(tmp_path / "workspace", audits=40)
    moved = promote(settings, Move("serious", "latest", "r", "ana"))
    jobs.run_here(settings, "score", attribute="serious", version=moved.version)
    performing(settings, tmp_path)
    questions.ask(settings, features.known(settings)["serious"], who="olga")
    run_insights.run(settings)
    one = next(one for one in insights.listed(settings) if one.question.origin == "person")
    assert one.figures["estimate"] is None
    assert one.figures["uncorrected"]["estimate"] > 0
    assert "audited images" in one.figures["why"]
    with pytest.raises(DataError, match="has no figure yet"):
        publishing.publish(settings, one.row.id, "looks good", "olga")


def test_what_the_champion_says_comes_by_asset_whatever_order_is_asked_for(settings: Settings) -> None:
    known = features.known(settings)["serious"]
    ids = np.array(["a3", "nowhere", "a1"], dtype=object)
    p = audited.probabilities(settings, known, ids)
    assert np.isnan(p[1]).all()
    assert p[[0, 2]].sum(axis=1) == pytest.approx(1)
    told = features.values(settings, known, ids)
    assert told[1] == ""
    with pytest.MonkeyPatch.context() as whole:
        whole.setattr(features, "FEW", 0)
        assert list(features.values(settings, known, ids)) == list(told), "read alone, or out of all"
    assert (p[[2, 0]] == audited.probabilities(settings, known, ids[::-1])[[0, 2]]).all()


def test_audits_without_an_answer_weigh_as_drawn_and_many_of_them_are_refused(settings: Settings) -> None:
    known = features.known(settings)["serious"]
    with writing(settings) as session:
        ids = np.array(session.scalars(select(Asset.asset_id)).all(), dtype=object)
        audits = select(Annotation.asset_pk).where(Annotation.purpose == "audit").distinct()
        of = select(Attribute.id).where(Attribute.name == "serious").scalar_subquery()
        drawn = sorted(session.scalars(audits.where(Annotation.attribute_id == of)).all())

    def taken_back(first: int, last: int) -> None:
        with writing(settings) as session:
            chosen = Annotation.asset_pk.in_(drawn[first:last]), Annotation.purpose == "audit"
            session.execute(update(Annotation).where(*chosen).values(deleted_at=now()))

    (before,) = audited.properties(settings, known, ("serious", "not serious"), ids)
    taken_back(0, 4)
    (after,) = audited.properties(settings, known, ("serious", "not serious"), ids)
    assert len(after.audited) < len(before.audited)
    assert (1 / after.inclusion).sum() == pytest.approx((1 / before.inclusion).sum())
    taken_back(4, 20)
    with pytest.raises(NotEnoughLabels, match=r"\d+ of \d+ audits of serious are open: answer them"):
        audited.properties(settings, known, ("serious", "not serious"), ids)
