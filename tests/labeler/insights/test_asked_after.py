"""Nobody gets a sure answer by looking first: by retiring chance, changing values, copying them, or asking again."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from attune.labeler.insights import features, imported, insights, publishing, questions
from attune.labeler.insights.words import words
from attune.labeler.performance import imports
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.workers.jobs import run_insights
from tests.support import performed
from tests.support.factories import workspace


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return workspace(tmp_path / "workspace")


def write(path: Path, values: dict[str, int]) -> str:
    path.write_text("\n".join(["asset_id,value", *(f"{name},{value}" for name, value in values.items()), ""]))
    return str(path)


def chosen_for_takes(path: str) -> dict[str, int]:
    """1 for the images that were taken more often than half of those of their title."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    takes = defaultdict(list)
    for row in rows:
        takes[row["title_id"]].append(int(row["takes"]))
    return {row["asset_id"]: int(int(row["takes"]) > np.median(takes[row["title_id"]])) for row in rows}


def bring_chance(settings: Settings, folder: Path, count: int) -> None:
    """Performance without any effect, and ``count`` features that are drawn at random."""
    names = performed.names(60)
    imports.add(settings, performed.files(folder, names, 0.0).performance, arm="explore")
    rng = np.random.default_rng(3)
    for number in range(count):
        values = {name: int(rng.random() < 0.4) for name, _ in names}
        imported.add(settings, write(folder / f"f{number}.csv", values), f"f{number}", "olga")
        questions.register_features(settings, features.known(settings), f"f{number}", "olga")


def test_who_retires_chance_does_not_make_the_luckiest_answer_surer(settings: Settings, tmp_path: Path) -> None:
    bring_chance(settings, tmp_path, 12)
    run_insights.run(settings)
    best, *others = sorted(insights.listed(settings), key=lambda one: one.figures["p"])
    for one in others[:6]:
        publishing.retire(settings, one.row.id, "chance", "olga")
    for one in others[6:]:  # values for one image: the question has no figure any more
        few = {"a0-0": 1, "a0-1": 0}
        imported.add(settings, write(tmp_path / "few.csv", few), one.question.feature, "olga")
    run_insights.run(settings)
    again = insights.find(settings, best.row.id)
    assert again.figures["q"] >= best.figures["q"]
    retired = insights.find(settings, others[0].row.id)
    assert (retired.row.state, retired.newest.version) == ("retired", 1)


def test_values_that_came_after_a_look_are_not_published_under_any_name(settings: Settings, tmp_path: Path) -> None:
    made = performed.files(tmp_path, performed.names(60), 0.0)
    performed.bring(settings, made)
    run_insights.run(settings)
    (before,) = insights.listed(settings)
    imported.add(settings, write(tmp_path / "best.csv", chosen_for_takes(made.performance)), "smiles", "olga")
    run_insights.run(settings)
    one = insights.find(settings, before.row.id)
    assert one.figures["q"] < 1e-6
    assert (one.seen, one.enough) == (True, False)
    assert one.figures["estimate"] == one.figures["halves"]["confirmation"]["estimate"]
    assert words(one).sentence.startswith("To be confirmed")
    with pytest.raises(DataError, match="Confirm it with new performance"):
        publishing.publish(settings, one.row.id, "so sure", "olga")
    copy = {row.split(",")[0]: int(row.split(",")[1]) for row in Path(made.feature).read_text().split()[1:]}
    imported.add(settings, write(tmp_path / "copy.csv", copy), "other", "olga")
    known = features.known(settings)
    assert questions.register_features(settings, known, "other", "olga") is None
    assert questions.ask(settings, known["other"], canvas="home", who="olga").row.seen


def test_a_new_file_before_anyone_looked_is_answered_by_all_titles(settings: Settings, tmp_path: Path) -> None:
    made = performed.files(tmp_path, performed.names(120), 0.2)
    imports.add(settings, made.performance, arm="explore")
    imported.add(settings, write(tmp_path / "wrong.csv", {"a0-0": 1, "a0-1": 0}), "smiles", "olga")
    questions.register_features(settings, features.known(settings), "smiles", "olga")
    imported.add(settings, made.feature, "smiles", "olga")
    for _ in range(2):
        run_insights.run(settings)
    (one,) = insights.listed(settings)
    assert (one.seen, one.enough, one.question.titles) == (False, True, "all")


def test_the_same_values_under_two_names_are_one_question(settings: Settings, tmp_path: Path) -> None:
    made = performed.files(tmp_path, performed.names(60), 0.2)
    performed.bring(settings, made)
    imported.add(settings, made.feature, "again", "olga")
    asked = questions.register_features(settings, features.known(settings), "again", "olga")
    assert asked is not None
    assert (asked.again, asked.row.feature) == (True, "smiles")
    run_insights.run(settings)
    assert [one.question.feature for one in insights.listed(settings)] == ["smiles"]


def test_a_canvas_that_was_seen_before_it_was_asked_is_not_published(settings: Settings, tmp_path: Path) -> None:
    performed.bring(settings, performed.files(tmp_path, performed.names(120), 0.3, ("home", "tv")))
    run_insights.run(settings)
    asked = questions.ask(settings, features.known(settings)["smiles"], canvas="tv", who="olga")
    assert (asked.looked, asked.row.seen) == (True, True)
    run_insights.run(settings)
    one = next(one for one in insights.listed(settings) if one.question.id == asked.row.id)
    assert one.figures["q"] < 0.1
    assert not one.enough
    with pytest.raises(DataError, match="after figures of smiles could be seen"):
        publishing.publish(settings, one.row.id, "so sure", "olga")


def test_only_performance_of_the_days_after_it_was_asked_confirms_it(settings: Settings, tmp_path: Path) -> None:
    made = performed.files(tmp_path, performed.names(80), 0.3, ("home", "tv"))
    head, *rows = Path(made.performance).read_text().split()

    def month(first: str, last: str) -> str:
        lines = [f"{head},period_start,period_end", *(f"{row},{first},{last}" for row in rows), ""]
        (tmp_path / f"{first}.csv").write_text("\n".join(lines))
        return str(tmp_path / f"{first}.csv")

    imports.add(settings, month("2019-01-01", "2019-01-31"), arm="explore")
    imported.add(settings, made.feature, "smiles", "olga")
    run_insights.run(settings)
    number = questions.ask(settings, features.known(settings)["smiles"], canvas="tv", who="olga").row.id
    for first, last, seen in (("2020-01-01", "2020-01-31", True), ("2999-01-01", "2999-01-31", False)):
        imports.add(settings, month(first, last), arm="explore")
        run_insights.run(settings)
        one = next(one for one in insights.listed(settings) if one.question.id == number)
        assert (one.seen, one.enough) == (seen, not seen)
    assert one.figures["titles"] > 45  # both halves, and the new rows alone:
    assert one.figures["impressions"] <= 10_000 * len(performed.names(80))
    assert publishing.publish(settings, one.row.id, "the new month says so, too", "olga").row.published == 2
