"""The review of a run: both sides on the same answers, every figure or why it is not known, and nothing given away."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.answers import label_errors, look_again
from attune.labeler.attributes import attributes
from attune.labeler.catalog import evidence_cache, gate_bounds, kept_review, measure_review
from attune.labeler.catalog.audit_evidence import collect
from attune.labeler.catalog.audit_slices import groups
from attune.labeler.catalog.gates import champion_of, measured
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.review import Review, review
from attune.labeler.views.review_facts import agreement
from attune.models.clock import now
from attune.models.errors import NotMeasured, UnknownAttribute, UnknownProbe
from attune.models.evaluation.audit_design import reserved_mask
from attune.models.labels.answers import AUDIT
from attune.models.labels.label_errors import SuspectedError
from tests.labeler.catalog import judged, worlds
from tests.support import factories

OWNER = Viewer("owner", "olga@example.org")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Champions that guess, candidates that know."""
    made = judged.filled(tmp_path_factory.mktemp("judged") / "workspace")
    for name in worlds.CLASSES:
        promote(made, Move(name, 1, "to have one", "olga@example.org"))
    suspect(made)
    return made


def suspect(settings: Settings) -> list[str]:
    """Put the first training answers of serious on the list of suspected label errors; their assets in its order."""
    with writing(settings) as session:
        serious = attributes.find(session, "serious")
        given = select(Annotation).where(Annotation.attribute_id == serious.id, Annotation.purpose != AUDIT)
        rows = session.scalars(given.order_by(Annotation.id.desc()).limit(12)).all()
        told = [
            SuspectedError(
                row.asset.asset_id, row.expert.email, row.value, *set(serious.classes) - {row.value}, 0.93, 0.1
            )
            for row in rows
        ]
        label_errors.replace(session, serious.id, 4, told)
        return [one.asset_id for one in told]


@pytest.fixture(scope="module")
def serious(world: Settings) -> Review:
    return review(world, OWNER, "serious")


def test_the_newest_run_is_judged_beside_the_champion_on_the_same_answers(serious: Review) -> None:
    assert (serious.candidate.number, serious.candidate.state) == (4, "candidate")
    assert serious.champion is not None
    assert (serious.champion.number, list(serious.champion.aliases)) == (1, ["champion"])
    assert serious.difference is not None
    assert serious.difference.value > 0.1
    for row in serious.rows:
        assert row.candidate.known
        assert row.candidate.lo <= row.candidate.value <= row.candidate.hi
        assert row.champion is not None
        assert row.champion.n == row.candidate.n == serious.difference.n > 60
    precision = {row.title: row.candidate.value for row in serious.rows}
    assert precision["Average precision of “serious”"] > 0.7
    assert all(gate.passed for gate in serious.gates)
    assert not serious.stopping


def test_precision_and_recall_at_two_lines_are_told_to_be(world: Settings, serious: Review) -> None:
    """A newcomer took a recall at a lower line for a better probe."""
    assert serious.lines == [], "both runs say yes from one half on"
    with writing(world) as session:
        run = session.scalars(select(Run).where(Run.number == 4)).first()
        assert run is not None
        name, kept = session.get_one(Attribute, run.attribute_id).name, run.advice
        run.advice = kept | {"thresholds": dict.fromkeys(worlds.CLASSES[name], 0.35)}
    page = review(world, OWNER, name, "4")
    assert {(line.candidate, line.champion) for line in page.lines} == {(0.35, 0.5)}
    with writing(world) as session:
        session.get_one(Run, run.id).advice = kept


def test_every_class_has_its_row_and_its_plots_where_there_are_three(world: Settings) -> None:
    page = review(world, OWNER, "romance", class_name="neither")
    titles = [row.title for row in page.rows]
    assert [title for title in titles if "Average precision" in title] == [
        "Average precision, mean over classes",
        *(f"Average precision of “{name}”" for name in worlds.CLASSES["romance"]),
    ]
    assert page.plots.chosen == "neither"
    assert page.plots.champion is not None
    assert page.confusion is not None
    assert len(page.confusion.rows) == 3


def test_confusion_stands_for_the_pool_and_not_for_the_draw(serious: Review) -> None:
    assert serious.confusion is not None
    for (_, n, cells), row in zip(serious.confusion.rows, range(2), strict=True):
        assert sum(cell.share for cell in cells) == pytest.approx(1)
        assert sum(cell.n for cell in cells) == n
        assert cells[row].share > 0.6
        assert all(cell.lo <= cell.share <= cell.hi for cell in cells)


def test_mistakes_are_audits_it_is_sure_and_wrong_about_and_suspected_errors_are_training_answers(
    world: Settings, serious: Review
) -> None:
    with reading(world) as session:
        kept = attributes.find(session, "serious").settings
    assert serious.mistakes
    assert [one.picture.asset_id for one in serious.suspected] == list(dict.fromkeys(suspect(world)))[:8]
    with reading(world) as session:
        one, held = attributes.find(session, "serious"), {}
        for shown in serious.suspected:
            asset = session.scalars(select(Asset).where(Asset.asset_id == shown.picture.asset_id)).one()
            held[shown.picture.asset_id] = bool(look_again.offered(session, OWNER, one, [asset.id]))
    assert {shown.picture.asset_id: shown.again for shown in serious.suspected} == held, "no link to a missing button"
    alone = [one for one in serious.suspected if len(one.sides) == 1]
    assert all(one.sure == 0.93 and one.says not in dict(one.sides) for one in alone)
    sure = [one.sure for one in serious.mistakes]
    assert sure == sorted(sure, reverse=True)
    assert all(one.says not in [value for value, _ in one.sides][:1] or len(one.sides) > 1 for one in serious.mistakes)
    for found, audit in ((serious.mistakes, True), (serious.suspected, False)):
        titles = [one.picture.title_id for one in found]
        assert (reserved_mask(titles, kept["seed"], kept["reserved_share"]) == audit).all()


def test_an_owner_who_is_still_to_answer_an_image_does_not_see_it_among_the_mistakes(
    world: Settings, serious: Review
) -> None:
    hidden = serious.mistakes[0].picture
    with writing(world) as session:
        expert = Expert(email="olga@example.org", name="Olga", added_at=now())
        session.add(expert)
    with reading(world) as session:
        attribute = attributes.find(session, "serious")
        asset = session.get_one(Asset, hidden.pk)
    factories.add_task(world, factories.add_queue(world, attribute, expert), asset, "audit")
    page = review(world, Viewer("owner", "olga@example.org", expert.id), "serious")
    assert hidden.pk not in [one.picture.pk for one in page.mistakes]
    assert page.mistakes[0].picture.pk == serious.mistakes[1].picture.pk


def test_slices_by_any_column_say_when_they_are_too_few(world: Settings, serious: Review) -> None:
    assert list(serious.slices.columns) == ["genre", "year"]
    told = {one.value: one for one in serious.slices.slices}
    assert told["drama"].agrees.known
    assert told["drama"].agrees.n == told["drama"].n >= 10
    assert not told["documentary"].agrees.known
    assert "at least 10" in told["documentary"].agrees.reason
    years = review(world, OWNER, "serious", column="year").slices
    assert years.column == "year"
    assert len(years.slices) == 4
    assert sum(one.n for one in years.slices) == sum(one.n for one in serious.slices.slices)


def test_many_values_of_a_column_become_quarters_or_the_rest() -> None:
    assert set(groups([*range(40), None])) == {
        "0 to 9.75",
        "9.75 to 19.5",
        "19.5 to 29.25",
        "29.25 to 39",
        "not stated",
    }
    rare = groups([f"genre {i}" for i in range(30)] + ["drama"] * 5)
    assert rare.count("drama") == 5
    assert rare.count("all others") == 30 - 11
    assert set(groups([True, False, 1, 2, ""])) == {"True", "False", "1", "2", "not stated"}


def test_parity_and_provenance_are_told(serious: Review) -> None:
    assert serious.agreement.alpha.known
    assert serious.agreement.probe.n == serious.agreement.expert.n >= 10
    facts = serious.provenance
    assert facts.experts == {"ana@example.org": 80, "bo@example.org": 60}
    assert (facts.purposes["audit"], facts.encoder["model"], facts.trained_on) == (80, "tiny", 60)
    assert facts.first < facts.last


def test_agreement_leaves_out_images_of_ones_own_choice(world: Settings, serious: Review) -> None:
    evidence = collect(world, "serious")
    chosen = frozenset((one.asset_id, one.expert) for one in evidence.firsts if one.expert == "bo@example.org")
    own = agreement(replace(evidence, own=chosen), None)
    assert (serious.agreement.chosen, own.chosen) == (0, len(chosen))
    assert not own.alpha.known
    assert not measured(replace(evidence, own=chosen), champion_of(world, "serious"), None)["alpha"].n


def test_without_audit_answers_it_says_so_everywhere_and_the_recorded_figures_stand_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    bare = judged.filled(tmp_path_factory.mktemp("bare") / "workspace", audits=0)
    suspect(bare)
    page = review(bare, OWNER, "serious")
    assert page.missing == "there are no audit answers yet"
    assert page.champion is None
    assert page.plots.reason == page.missing
    assert (page.confusion, page.mistakes, page.slices.slices) == (None, [], ())
    assert page.suspected
    assert page.rows[0].candidate.value == 0.8
    assert page.rows[-1].candidate.reason
    by_name = {gate.name: gate for gate in page.gates}
    assert (by_name["calibration"].passed, by_name["audit_lower_bound"].value) == (None, pytest.approx(0.7))


def test_a_run_of_another_encoder_is_not_judged_on_todays_vectors(
    world: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = judged.filled(tmp_path_factory.mktemp("other") / "workspace")
    with writing(other) as session:
        session.query(Run).filter_by(number=3).update({"encoder_digest": "e" * 64})
    page = review(other, OWNER, "serious", candidate="3")
    assert "another encoder" in page.missing
    assert {gate.name: gate.passed for gate in page.gates}["encoder"] is False


def test_an_older_run_with_the_newest_ones_weights_gets_its_figures(tmp_path_factory: pytest.TempPathFactory) -> None:
    twins = judged.filled(tmp_path_factory.mktemp("twins") / "workspace")
    promote(twins, Move("serious", 1, "to have one", "olga@example.org"))
    assert review(twins, OWNER, "serious").led == 4
    with writing(twins) as session:
        probes = dict(session.query(Run.number, Run.probe).filter(Run.attribute_id == 1).all())
        session.query(Run).filter(Run.attribute_id == 1, Run.number == 1).update({"probe": probes[4]})
        session.query(Annotation).update({"received_at": now()})  # what was worked out before is not asked for
    page = review(twins, OWNER, "serious")
    assert page.led is None
    assert page.difference is not None
    assert page.difference.value == pytest.approx(0)
    assert [row.candidate for row in page.rows] == [row.champion for row in page.rows]


def test_figures_follow_every_answer_and_every_bound_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    lively = judged.filled(tmp_path_factory.mktemp("lively") / "workspace")
    before = review(lively, OWNER, "serious")
    gate_bounds.change(lively, "serious", "olga", {"audit_lower_bound": 0.99}, {"audit_lower_bound": True})
    assert [gate.name for gate in review(lively, OWNER, "serious").stopping] == ["audit_lower_bound"]
    with writing(lively) as session:
        audits = session.scalars(select(Annotation).where(Annotation.purpose == "audit").order_by(Annotation.id))
        gone = {one.asset_pk for one in list(audits)[:9]}
        session.query(Annotation).filter(Annotation.asset_pk.in_(gone)).update({"deleted_at": now()})
    after = review(lively, OWNER, "serious")
    assert after.audits < before.audits
    assert after.rows[0].candidate != before.rows[0].candidate


def test_what_is_not_there_is_named(world: Settings) -> None:
    with pytest.raises(UnknownAttribute):
        review(world, OWNER, "nothing")
    with pytest.raises(UnknownProbe, match="no version 99"):
        review(world, OWNER, "serious", candidate="99")
    assert review(world, OWNER, "serious", column="no such", class_name="no such").slices.column == "genre"


def test_the_same_question_gets_the_same_figures(world: Settings, serious: Review) -> None:
    again = review(world, OWNER, "serious")
    assert again.rows == serious.rows
    assert np.array_equal(again.plots.precision_recall.value, serious.plots.precision_recall.value)


def _told(page: Review) -> str:
    """All that a page shows, to the digit."""
    return json.dumps(asdict(replace(page, made=None)), default=lambda one: getattr(one, "tolist", one.__str__)())


def test_a_large_question_shows_what_a_worker_measured_to_the_digit(
    world: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [("serious", "", ""), ("romance", "year", "neither")]
    measured_now = [review(world, OWNER, name, "", column, chosen) for name, column, chosen in there]
    monkeypatch.setattr(kept_review, "LARGE", 0)
    for (name, column, chosen), before in zip(there, measured_now, strict=True):
        with pytest.raises(NotMeasured):
            review(world, OWNER, name, "", column, chosen)
        measure_review.measure(world, name, "latest", column, chosen)
        page = review(world, OWNER, name, "", column, chosen)
        assert page.made is not None
        assert page.made.stands
        assert _told(page) == _told(before)
    with pytest.raises(NotMeasured):  # of another run nothing is kept, and of another column neither
        review(world, OWNER, "serious", "3")
    with pytest.raises(NotMeasured):
        review(world, OWNER, "serious", column="year")
    evidence_cache._kept.clear()  # each job is a process of its own
    measure_review.measure(world, "serious", "latest", "year")
    evidence_cache._kept.clear()
    measure_review.measure(world, "serious", "latest")
    assert review(world, OWNER, "serious", column="year").slices.column == "year", "two owners, two columns"


def test_a_large_question_without_vectors_is_shown_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = judged.filled(tmp_path / "workspace")
    shutil.rmtree(large.vectors)
    monkeypatch.setattr(kept_review, "LARGE", 0)
    measure_review.measure(large, "serious")
    made = review(large, OWNER, "serious").made
    assert made is not None
    assert made.stands
    monkeypatch.setattr(kept_review, "EMPTY", timedelta(0))
    made = review(large, OWNER, "serious").made
    assert made is not None
    assert made.old == "The images had no vectors then."


def test_figures_that_a_worker_left_stay_until_it_has_time_and_end_with_their_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = judged.filled(tmp_path / "workspace")
    monkeypatch.setattr(kept_review, "LARGE", 0)
    assert measure_review.leave(large, "serious", 3), "an old workspace has none"
    before = review(large, OWNER, "serious")
    assert (before.candidate.number, before.newest) == (3, 4), "the newest that was measured"
    with writing(large) as session:
        attributes.find(session, "serious").answers_counter += 1
    page = review(large, OWNER, "serious")
    assert page.made is not None
    assert not page.made.stands
    assert page.rows == before.rows
    monkeypatch.setattr(measure_review, "RESTS", 1e9)
    assert not measure_review.leave(large, "serious", 4), "a round that follows at once has no time for it"
    monkeypatch.setattr(measure_review, "RESTS", 0)
    assert measure_review.leave(large, "serious", 4)
    assert review(large, OWNER, "serious").candidate.number == 4
    promote(large, Move("serious", 1, "to have one", "olga@example.org"))
    with pytest.raises(NotMeasured):
        review(large, OWNER, "serious")


def test_the_images_on_which_two_runs_part_are_right_in_one_and_wrong_in_the_other(
    world: Settings, serious: Review
) -> None:
    found = serious.pairs
    assert found is not None
    assert found.won, "a run that knows is right where one that guesses is wrong"
    assert found.won_in_all > found.lost_in_all
    assert len(found.won) == min(8, found.won_in_all)
    for pairs, right in ((found.won, "candidate"), (found.lost, "champion")):
        for pair in pairs:
            agreed = max(pair.sides, key=lambda side: len(side[1]))[0]
            assert (pair.candidate[0] == agreed, pair.champion[0] == agreed) == (
                right == "candidate",
                right == "champion",
            )
    with reading(world) as session:
        kept = attributes.find(session, "serious").settings
    titles = [pair.picture.title_id for pair in (*found.won, *found.lost)]
    assert reserved_mask(titles, kept["seed"], kept["reserved_share"]).all(), "all of them are audits"
    assert found.won_in_all + found.lost_in_all + found.both_wrong < found.answered


def test_the_verdict_turns_with_the_champion(
    world: Settings, serious: Review, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert (serious.verdict.kind, serious.verdict.promotes) == ("better", True)
    itself = review(world, OWNER, "serious", "1")
    assert (itself.verdict.kind, itself.pairs) == ("champion", None)
    turned = judged.filled(tmp_path_factory.mktemp("turned") / "workspace")
    assert review(turned, OWNER, "serious").verdict.kind == "good", "the first, and every gate passes"
    promote(turned, Move("serious", 4, "the better one", "olga@example.org"))
    worse = review(turned, OWNER, "serious", "1")
    assert (worse.verdict.kind, worse.verdict.promotes) == ("worse", False)
    assert worse.pairs is not None
    assert serious.pairs is not None
    assert [pair.picture for pair in worse.pairs.lost] == [pair.picture for pair in serious.pairs.won]


def test_an_owner_who_is_still_to_answer_an_image_does_not_see_it_where_two_runs_part(
    world: Settings, serious: Review
) -> None:
    assert serious.pairs is not None
    hidden = serious.pairs.won[0].picture
    with writing(world) as session:
        expert = Expert(email="otto@example.org", name="Otto", added_at=now())
        session.add(expert)
    with reading(world) as session:
        attribute = attributes.find(session, "serious")
        asset = session.get_one(Asset, hidden.pk)
    factories.add_task(world, factories.add_queue(world, attribute, expert), asset, "audit")
    page = review(world, Viewer("owner", "otto@example.org", expert.id), "serious")
    assert page.pairs is not None
    assert hidden.pk not in [pair.picture.pk for pair in page.pairs.won]
    assert page.pairs.won_in_all == serious.pairs.won_in_all
