"""What is asked of a question beside another feature: frozen, answered on the same rows, decided in its own family."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from attune.labeler.cli.main import attune
from attune.labeler.insights import companions, features, imported, insights, questions
from attune.labeler.insights.amounts import between, change, often
from attune.labeler.insights.beside_words import depends_words, figures_of, holding_words, lines_of
from attune.labeler.insights.companions import DEPENDS, HOLDING, Wanted
from attune.labeler.insights.goes_with import Images, _examples, goes_with
from attune.labeler.insights.insights import Told
from attune.labeler.insights.words import basis
from attune.labeler.performance import imports
from attune.labeler.records.schema import InsightQuestion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.insight_bars import besides
from attune.models.clock import now
from attune.models.errors import DataError
from attune.workers.jobs import run_insights
from tests.support.factories import workspace

SMILE, DARK, MORE = 0.1, -0.3, 0.3
TITLES = 250


def files(folder: Path, date: str = "2026-01-05") -> list[str]:
    """Smiles are taken more often, and more so on dark images, which they go with; nothing depends on noise."""
    rng = np.random.default_rng(3)
    columns = [["asset_id,title_id,canvas,impressions,takes,period_start,period_end"]]
    columns += [["asset_id,value"] for _ in range(3)]
    for number in range(TITLES * 4):
        smile = rng.random() < 0.5
        dark, noise = rng.random() < 0.3 + 0.4 * smile, rng.random() < 0.5
        rate = 0.03 * np.exp(SMILE * smile + DARK * dark + MORE * smile * dark + rng.normal(0, 0.05))
        columns[0].append(f"a{number},t{number // 4},home,10000,{rng.binomial(10000, rate)},{date},{date}")
        for column, value in zip(columns[1:], (smile, dark, noise), strict=True):
            column.append(f"a{number},{'yes' if value else 'no'}")
    paths = [folder / name for name in ("takes.csv", "smile.csv", "dark.csv", "noise.csv")]
    for path, lines in zip(paths, columns, strict=True):
        path.write_text("\n".join([*lines, ""]))
    return [str(path) for path in paths]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Told]:
    """A workspace whose run has answered everything, and the insight about smiles."""
    folder = tmp_path_factory.mktemp("beside")
    settings = workspace(folder / "workspace")
    takes, *values = files(folder)
    imports.add(settings, takes, arm="explore")
    for path in values:
        imported.add(settings, path, Path(path).stem, "olga")
    known = features.known(settings)
    row = questions.ask(settings, known["smile"], who="olga").row
    for way, name in ((DEPENDS, "dark"), (DEPENDS, "noise"), (HOLDING, "dark")):
        assert not companions.ask(settings, row, known["smile"], Wanted(way, known[name]), "olga").again
    assert companions.ask(settings, row, known["smile"], Wanted(DEPENDS, known["dark"], "no:yes"), "olga").again
    with pytest.raises(DataError, match="the feature that the question is about"):
        companions.ask(settings, row, known["smile"], Wanted(HOLDING, known["smile"]))
    run_insights.run(settings)
    return settings, next(one for one in insights.listed(settings) if one.question.feature == "smile")


def test_a_dependence_has_both_ends_and_a_q_of_its_own_family(told: tuple[Settings, Told]) -> None:
    _, one = told
    dark, noise = one.figures[DEPENDS]
    assert dark["ci"][0] < MORE < dark["ci"][1]
    assert (dark["grade"], dark["seen"]) == ("A", False)
    assert dark["q"] == pytest.approx(min(1.0, 2 * dark["any_time"]["p"]), rel=1e-6)  # of two, whatever else was asked
    said = depends_words(one, dark)
    assert said.sentence.startswith("Yes. Images with “dark”: ")
    assert depends_words(one, noise).sentence.startswith("No measurable difference between images with “noise”")
    shown = besides(one, 0.5)
    assert [len(part.lines) for part in shown] == [2, 2, 2]
    high, low = figures_of(one, DEPENDS, dark)
    assert 0 < high.estimate - low.estimate < dark["estimate"], "the luckiest of several is drawn towards no difference"
    for end, raw in ((high, dark["high"]), (low, dark["low"])):
        assert end.ci[1] - end.ci[0] > raw["ci"][1] - raw["ci"][0], "it holds at all looks, not at one"
    for line, end in zip(shown[0].lines, (high, low), strict=True):
        assert line.bar is not None
        assert line.bar.said == f"{change(end.estimate)}, {between(*end.ci)}"
        assert f"{often(end.estimate)} (probably {between(*end.ci)})" in said.sentence
    assert said.basis == basis(dark)
    assert lines_of(one)["depends on dark"] == f"{said.sentence} {said.note} {said.basis}."


@pytest.mark.parametrize("change_of", [{"seen": True}, {"q": 0.5}, {"estimate": None, "why": "None."}])
def test_no_figure_is_told_beside_an_insight_that_is_not_sure(
    told: tuple[Settings, Told], change_of: dict[str, object]
) -> None:
    _, one = told
    version = SimpleNamespace(grade="A", figures=one.figures | change_of)
    unsure = Told(one.row, one.question, version)  # type: ignore[arg-type]
    assert not unsure.enough
    (dark, _), (held,) = one.figures[DEPENDS], one.figures[HOLDING]
    assert "%" in depends_words(one, dark).sentence + holding_words(one, held).sentence
    said = [depends_words(unsure, dark).sentence, holding_words(unsure, held).sentence, *lines_of(unsure).values()]
    assert not [text for text in said if "%" in text or " often" in text]
    assert not any(part.lines for part in besides(unsure, 0.5))


def test_holding_is_a_second_figure_beside_the_first_and_no_verdict(told: tuple[Settings, Told]) -> None:
    _, one = told
    (dark,) = one.figures[HOLDING]
    assert dark["alone"]["estimate"] == pytest.approx(one.figures["estimate"], abs=1e-8)
    assert dark["held"]["estimate"] > dark["alone"]["estimate"]  # dark images are taken less often, and smile more
    assert "q" not in dark
    said = holding_words(one, dark)
    assert "Neither says that dark is the reason" in said.note
    both = [said.sentence.index(often(one.figures["shrunk"]["estimate"])), said.sentence.index("with the same dark")]
    assert both == sorted(both, reverse=True), "the second figure is that of the headline"
    assert said.basis.startswith(f"{dark['titles']} titles, ")


def test_a_question_whose_companion_is_refused_is_not_registered(told: tuple[Settings, Told]) -> None:
    settings, _ = told
    at = ["--workspace", str(settings.workspace)]
    asked = ["insights", "ask", "--feature", "noise", "--canvas", "home"]
    for wrong, why in (("dark=a:b", "has the classes"), ("noise", "the feature that the question is about")):
        done = CliRunner().invoke(attune, [*asked, "--depends-on", wrong, *at])
        assert done.exit_code != 0
        assert why in str(done.exception)
    with reading(settings) as session:
        kept = session.scalars(select(InsightQuestion).where(InsightQuestion.canvas == "home")).all()
    assert not kept


def test_what_is_asked_after_both_were_seen_is_to_be_confirmed_by_new_performance(
    told: tuple[Settings, Told], tmp_path: Path
) -> None:
    settings, one = told
    known = features.known(settings)
    late = companions.ask(settings, one.question, known["smile"], Wanted(DEPENDS, known["dark"], "yes:no"), "olga")
    assert late.again
    other = next(row for row in insights.listed(settings) if row.question.feature == "dark")
    late = companions.ask(settings, other.question, known["dark"], Wanted(DEPENDS, known["smile"]), "olga")
    assert late.row.seen
    run_insights.run(settings)
    (entry,) = insights.find(settings, other.row.id).figures[DEPENDS]
    assert entry["seen"]
    assert depends_words(other, entry).sentence.startswith("To be confirmed")
    kept = insights.find(settings, one.row.id).figures[DEPENDS][0]
    assert kept["q"] > one.figures[DEPENDS][0]["q"]  # a question more, in the same family
    takes, *_ = files(tmp_path, (now() + timedelta(days=2)).date().isoformat())
    imports.add(settings, takes, arm="explore")
    run_insights.run(settings)
    (entry,) = insights.find(settings, other.row.id).figures[DEPENDS]
    assert not entry["seen"]
    assert depends_words(other, entry).sentence.startswith("Yes.")


def test_what_goes_with_takes_is_told_of_all_features_at_once_with_a_plot(
    told: tuple[Settings, Told], tmp_path: Path
) -> None:
    settings, _ = told
    plot = tmp_path / "plot.svg"
    at = ["--workspace", str(settings.workspace)]
    done = CliRunner().invoke(attune, ["insights", "goes-with", "--to", str(plot), *at])
    assert done.exit_code == 0, done.output
    assert "does not say why" in done.output
    assert "better" not in done.output
    first, second = (goes_with(settings).as_json() for _ in range(2))
    assert first == second
    assert {one["feature"] for one in first["features"]} == {"smile", "dark", "noise"}
    assert first["features"][-1]["feature"] == "noise"
    drawn = fromstring(plot.read_text())
    assert [one.text for one in drawn.iter() if one.get("text-anchor") == "end"] == [
        one["feature"] for one in first["features"]
    ]


def test_examples_were_taken_more_often_than_an_average_image(told: tuple[Settings, Told]) -> None:
    names = np.array(["rarely", "below", "above"], dtype=object)
    images = Images(names, np.array([-1.2, -0.6, -0.3]), np.ones(3), np.arange(3))
    assert _examples(told[0], np.ones(3, dtype=bool), images) == ["above", "below"], "-0.7 is the average"
