"""A brief says what a title has, what it lacks and whose taste it misses, and both files hold it with its pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from attune.labeler.briefs import files
from attune.labeler.briefs.as_json import as_json
from attune.labeler.briefs.brief import Brief, brief
from attune.labeler.briefs.line import Line
from attune.labeler.briefs.own import Own, own
from attune.labeler.cli.main import attune
from attune.labeler.insights import arms, features, imported, insights, questions
from attune.labeler.insights.amounts import unbroken
from attune.labeler.insights.insights import Told
from attune.labeler.insights.known import Known
from attune.labeler.insights.people_asked import PeopleAsked
from attune.labeler.insights.words import Words
from attune.labeler.people import viewer as viewers
from attune.labeler.people.viewer import Viewer
from attune.labeler.performance import imports
from attune.labeler.records.schema import (
    Asset,
    Insight,
    InsightQuestion,
    InsightVersion,
    MemberGrouping,
    PerformanceImport,
)
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.insight_test import arms_rows
from attune.labeler.views.insight_test import test_page as page_of_test
from attune.labeler.views.insights import insight_page, insights_page
from attune.models.clock import now
from attune.models.errors import DataError, UnknownAsset
from attune.workers.jobs import run_insights
from tests.support import factories, performed


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Eighty titles with four images each, and a feature that is taken more often."""
    folder = tmp_path_factory.mktemp("briefs")
    made = factories.workspace(folder / "workspace")
    rows = [*factories.add_assets(made, 12, images=True, per_title=4), *factories.add_assets(made, 308, per_title=4)]
    bring = performed.files(folder, [(one.asset_id, one.title_id) for one in rows], 0.4)
    performed.bring(made, bring)
    lines = [f"{one.asset_id},{number % 4}.5" for number, one in enumerate(rows)]
    (folder / "numbers.csv").write_text("\n".join(["asset_id,value", *lines, ""]))
    imported.add(made, str(folder / "numbers.csv"), "brightness")
    questions.register_features(made, features.known(made), "brightness", "olga")
    run_insights.run(made)
    return made


@pytest.fixture(scope="module")
def has(settings: Settings) -> dict[str, dict[str, bool]]:
    """Title -> image -> whether it has the feature."""
    with reading(settings) as session:
        rows = list(session.scalars(select(Asset).order_by(Asset.id)))
    values = features.values(settings, features.known(settings)["smiles"], [one.asset_id for one in rows])  # type: ignore[arg-type]
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for row, value in zip(rows, values, strict=True):
        found[row.title_id][row.asset_id] = value == "1"
    return dict(found)


def of(settings: Settings, has: dict[str, dict[str, bool]], some: bool) -> Brief:
    """The brief of the first title with some images that have the feature and some that do not, or with none."""
    titles = [title for title, images in has.items() if any(images.values()) is some and not all(images.values())]
    return brief(settings, titles[0])


def test_a_title_is_told_what_it_covers_and_what_it_lacks(settings: Settings, has: dict[str, dict[str, bool]]) -> None:
    covered, missing = of(settings, has, True), of(settings, has, False)
    (line,) = covered.lines
    assert set(line.has) == {name for name, one in has[covered.title_id].items() if one}
    assert len(line.lacks) == 4 - len(line.has)
    assert line.covers.startswith(f"{len(line.has)} of 4 images ")
    assert line.grade == "A"
    assert not covered.missing
    (line,) = missing.lines
    assert (line.has, len(line.lacks), line.missing) == ([], 4, True)
    assert "missing here: images with “smiles”" in missing.summary
    assert len(line.worked) == len(line.avoid) == 3
    for shown, side in [*((one, True) for one in line.worked), *((one, False) for one in line.avoid)]:
        assert has[shown.title_id][shown.asset_id] is side
        assert shown.title_id != missing.title_id
        assert shown.said.endswith("% of the times shown")
    with pytest.raises(UnknownAsset, match="nowhere"):
        brief(settings, "nowhere")


def test_the_strongest_line_has_the_clearest_pairs_whatever_line_is_larger(
    settings: Settings, has: dict[str, dict[str, bool]]
) -> None:
    """Two images that differ in two features would seem to prove both, so the second line has others."""
    title = of(settings, has, True).title_id
    (alone,) = brief(settings, title).lines
    one, larger = alone.one, {"shrunk": alone.one.figures["shrunk"] | {"estimate": 9.0}, "q": 0.09}
    kept = {name: getattr(one.question, name) for name in ("feature", "contrast", "kind", "values", "seen", "titles")}
    with writing(settings) as session:
        asked = InsightQuestion(
            **kept, canvas="home", origin="person", asked_by="olga", asked_at=now(), digest="another"
        )
        session.add(asked)
        session.flush()
        row = Insight(question_id=asked.id, state="proposed")
        session.add(row)
        session.flush()
        made = {name: getattr(one.newest, name) for name in ("run_id", "grade", "inputs", "made_at")}
        figures = one.figures | larger
        version = InsightVersion(**made, insight_id=row.id, version=1, figures=figures, digest="another")
        session.add(version)
    try:
        assert insights.listed(settings)[0].row.id == row.id, "the list begins with what is larger"
        first, second = brief(settings, title).lines
        assert (first.one.row.id, first.worked) == (one.row.id, alone.worked)
        assert not {shown.asset_id for shown in first.worked} & {shown.asset_id for shown in second.worked}
    finally:
        with writing(settings) as session:
            for kind, key in ((InsightVersion, version.id), (Insight, row.id), (InsightQuestion, asked.id)):
                session.delete(session.get_one(kind, key))
                session.flush()


@pytest.mark.parametrize(
    ("has", "lacks", "said"),
    [
        (1, 3, "1 of 4 images is with “smiles”, 3 are without “smiles”."),
        (3, 1, "3 of 4 images are with “smiles”, 1 is without “smiles”."),
        (1, 0, "1 of 1 image is with “smiles”."),
        (4, 0, "4 of 4 images are with “smiles”."),
        (0, 1, "Missing: no image with “smiles” yet, the only one is without “smiles”."),
        (0, 4, "Missing: no image with “smiles” yet, all 4 are without “smiles”."),
        (0, 0, "Nobody knows yet which images of this title have it."),
    ],
)
def test_what_a_title_has_is_said_of_one_image_and_of_several(has: int, lacks: int, said: str) -> None:
    told = Told(Insight(), InsightQuestion(feature="smiles", contrast="1:0"), InsightVersion(figures={"within": True}))
    sides = ("with “smiles”", "without “smiles”")
    line = Line(told, Words("", "", "", "", sides), *sides, ["a"] * has, ["b"] * lacks, [], [])
    assert line.covers == said


def test_both_files_hold_the_brief_and_its_pictures_whatever_the_title_is_called(
    settings: Settings, has: dict[str, dict[str, bool]]
) -> None:
    title = next(iter(has))
    with writing(settings) as session:
        for row in session.scalars(select(Asset).where(Asset.title_id == title)):
            row.columns = {"title": "<b>Žluťoučký 東京</b>"}
    made, page = files.written(settings, title, "html")
    text = page.decode()
    assert "<h1>&lt;b&gt;Žluťoučký 東京&lt;/b&gt;</h1>" in text
    assert unbroken(made.lines[0].words.sentence) in text
    assert "Simulated performance" not in text
    assert text.count("data:image/jpeg;base64,") >= 4
    assert "http" not in text.replace("<!doctype html>", "")  # nothing is fetched when it is opened
    _, pdf = files.written(settings, title, "pdf")
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Subtype /Image") >= 4
    with pytest.raises(DataError, match=r"\.docx"):
        files.written(settings, title, "docx")


def test_a_brief_says_how_its_own_images_did_and_what_films_are_called(
    settings: Settings, has: dict[str, dict[str, bool]]
) -> None:  # fmt: skip
    made = of(settings, has, True)
    did = {name: made.own.images[name].ratio or 0 for name in has[made.title_id]}
    smiling, other = ([did[name] for name, one in has[made.title_id].items() if one is side] for side in (True, False))
    assert min(smiling) > 1 > max(other), "those that smile are taken half as often again"
    best, told = max(did, key=lambda name: did[name]), as_json(made)
    assert f"{100 * (did[best] - 1):.0f}\xa0% more often than its other images" in made.own.said(best)
    assert made.own.random
    assert {one["asset_id"]: one["ratio"] for one in told["own"]} == did
    assert told["lines"][0]["unchecked"].startswith("Nobody has checked")
    shown = made.lines[0].worked[0]
    with writing(settings) as session:
        for row in session.scalars(select(Asset).where(Asset.title_id == shown.title_id)):
            row.columns = {"title": "Winter"}
    again = brief(settings, made.title_id)
    assert as_json(again)["lines"][0]["worked"][0]["name"] == "Winter"
    page = files.written(settings, made.title_id, "html")[1].decode()
    assert f"<strong>Winter</strong><br>{shown.asset_id}" in page
    assert made.own.said(best) in page


def test_how_images_did_is_not_said_to_be_of_chance_where_somebody_chose(tmp_path: Path) -> None:
    made = factories.workspace(tmp_path / "workspace")
    images = [one.asset_id for one in factories.add_assets(made, 3, per_title=3)]
    assert "Nobody has added performance" in own(made, "t").basis

    def bring(arm: str, *shown: int) -> Own:
        rows = [f"{name},t,home,{count},{count // 10}" for name, count in zip(images, shown, strict=True)]
        (tmp_path / f"{arm}.csv").write_text("\n".join(["asset_id,title_id,canvas,impressions,takes", *rows, ""]))
        imports.add(made, str(tmp_path / f"{arm}.csv"), arm=arm)
        return own(made, "t")

    served = bring("serve", 9000, 9000, 100)
    assert not served.random
    assert "not shown at random" in served.basis
    assert "No measurable difference from its other images" in served.said(images[0])
    assert served.said(images[2]).endswith("% of the times shown. Not enough yet to compare.")
    assert served.said("elsewhere") == ""
    chance = bring("explore", 4000, 4000, 4000)
    assert chance.random
    assert [chance.images[name].impressions for name in images] == [4000] * 3, "served rows do not count beside them"
    assert not bring("explore", 9000, 900, 900).random, "they were not shown as planned"


def test_a_group_whose_taste_is_missing_is_told_from_one_that_nobody_asked(
    settings: Settings, has: dict[str, dict[str, bool]]
) -> None:
    title, other, *_ = has
    own, elsewhere = next(iter(has[title])), next(iter(has[other]))

    def image(group: int, name: str, of_title: str, estimate: float, q: float) -> dict[str, object]:
        return {"group": group, "asset_id": name, "title_id": of_title, "estimate": estimate, "ci": [0.1, 0.9], "q": q}

    told = [
        image(1, own, title, 0.5, 0.01), image(2, own, title, -0.5, 0.01), image(2, elsewhere, other, 0.5, 0.01),
        image(3, elsewhere, other, 0.5, 0.01), image(4, own, title, -0.1, 0.6), image(4, elsewhere, other, 0.5, 0.01),
    ]  # fmt: skip
    figures = {
        "groups": [{"group": one, "members": 100, "share": 0.3, "titles": []} for one in (1, 2, 3, 4)],
        "forecast": {"why": "No forecast."}, "resonance": {"grade": "C", "images": told},
    }  # fmt: skip
    with writing(settings) as session:
        row = MemberGrouping(kind="viewing", groups=3, seed=0, figures=figures, made_by="olga", made_at=now())
        session.add(row)
    try:
        tastes = brief(settings, title).tastes
        said = {one.group: one.covers.partition(":")[0] for one in tastes.groups}
        assert said == {1: "Met", 2: "Missing", 3: "Not known", 4: "No measurable preference"}
        assert tastes.groups[0].group == 2  # what is missing comes first
        assert list(tastes.groups[0].elsewhere) == [elsewhere]
        assert tastes.grade == "C"
        with writing(settings) as session:
            session.get_one(MemberGrouping, row.id).kind = "responses"
        assert "may tell of fewer than 50" in brief(settings, title).tastes.why
    finally:
        with writing(settings) as session:
            session.delete(session.get_one(MemberGrouping, row.id))
    assert "which viewers these images leave out" in brief(settings, title).tastes.why


def test_the_arms_of_a_test_are_two_images_of_each_title_that_has_both_kinds(
    settings: Settings, has: dict[str, dict[str, bool]]
) -> None:
    asked = {one.question.feature: one for one in insights.listed(settings)}
    one = asked["smiles"]
    planned = arms.plan_test(settings, one)
    both = {title for title, images in has.items() if len(set(images.values())) == 2}
    assert {arm.title_id for arm in planned.arms} == both
    assert planned.one_sided == len(has) - len(both)
    for arm in planned.arms:
        assert has[arm.title_id][arm.first]
        assert not has[arm.title_id][arm.second]
    rows = planned.rows()
    assert {row["impressions"] for row in rows} == {planned.impressions}
    assert planned.impressions * len(rows) == planned.plan.needed.impressions, "both pages say one number"
    assert {(row["arm"], row["propensity"]) for row in rows} == {("explore", 0.5)}
    assert not planned.short
    assert planned.power >= 0.8
    assert not planned.extremes
    fewer = arms.plan_test(settings, one, titles=40)
    assert fewer.arms == arms.plan_test(settings, one, titles=40).arms  # chance, but the same each time
    assert len(fewer.arms) == 40
    assert {arm.title_id for arm in fewer.arms} < both
    differ = {"estimate": 0.05, "shrunk": {"estimate": 0.05}, "tau": 0.5}  # 1,570 titles are needed
    few = arms.plan_test(settings, replace(one, newest=InsightVersion(figures=one.figures | differ)))
    assert few.short > 500
    assert few.power < 0.3
    assert few.found_by.startswith("only about ")
    numbers = arms.plan_test(settings, asked["brightness"])
    assert numbers.extremes
    assert len(numbers.arms) == len(has)
    order = list(has[numbers.arms[0].title_id])
    assert (numbers.arms[0].first, numbers.arms[0].second) == (order[3], order[0])  # the two that differ most


def test_a_simulated_import_that_comes_later_does_not_mark_what_was_measured(settings: Settings) -> None:
    told = {"source": "demo", "source_digest": "", "file": "", "rows": 1, "rows_read": 1, "rows_replaced": 0}
    told |= {"faults": {}, "impressions": 1, "takes": 1, "added_by": "", "removed_by": "", "removed_reason": ""}
    with writing(settings) as session:
        row = PerformanceImport(options={"simulated": "1", "columns": {}}, added_at=now(), **told)
        session.add(row)
    try:
        viewer = Viewer("owner", "olga")
        page = insights_page(settings, viewer)
        assert not page.made_up
        number = page.sure[0].one.row.id
        assert not insight_page(settings, viewer, number).made_up
        assert not page_of_test(settings, viewer, number).made_up
    finally:
        with writing(settings) as session:
            session.delete(session.get_one(PerformanceImport, row.id))
    with writing(settings) as session:
        version = session.get_one(InsightVersion, page.sure[0].one.newest.id)
        plain, version.figures = version.figures, version.figures | {"simulated": True}
    try:
        assert insight_page(settings, viewer, number).made_up  # its import is gone, and the figures stay made up
        assert page_of_test(settings, viewer, number).made_up
        assert insights_page(settings, viewer).made_up
    finally:
        with writing(settings) as session:
            session.get_one(InsightVersion, version.id).figures = plain


def test_who_labels_reads_no_class_of_what_waits_for_their_answer(
    settings: Settings, has: dict[str, dict[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    title = next(title for title, images in has.items() if len(set(images.values())) == 2)
    own = next(iter(has[title]))
    monkeypatch.setattr(viewers, "waiting", lambda _: select(Asset.id).where(Asset.asset_id == own))
    known = features.known(settings)
    probe = {name: replace(one, kind="attribute", audited_by=name) for name, one in known.items()}
    read = features.values
    monkeypatch.setattr(features, "values", lambda of, one, ids: read(of, known[one.name], ids))
    viewer = Viewer("owner", "olga", 1)
    assert own in [*brief(settings, title, viewer).lines[0].has, *brief(settings, title, viewer).lines[0].lacks]
    monkeypatch.setattr(features, "known", lambda _: probe)
    line = brief(settings, title, viewer).lines[0]
    assert own not in [*line.has, *line.lacks]
    assert line.known == len(has[title]) - 1
    assert files.written(settings, title, "html", viewer)[0].lines[0].known == line.known
    monkeypatch.setattr(features, "known", lambda _: known)
    monkeypatch.setattr(PeopleAsked, "of", measured_and_checked)
    assert brief(settings, title, viewer).lines[0].known == line.known


def measured_and_checked(_: object, known: Mapping[str, Known]) -> PeopleAsked:
    """Every feature is a measured number, and people are asked about the first insight's."""
    return PeopleAsked({name: replace(one, kind="measured") for name, one in known.items()}, frozenset({"smiles"}))


def test_who_labels_sees_no_pair_with_an_image_that_waits_for_their_answer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, number = Viewer("owner", "olga", 1), insights.listed(settings)[0].row.id
    pairs = insight_page(settings, viewer, number).same
    tested = arms.plan_test(settings, insights.listed(settings)[0]).arms[0].first
    own, other = pairs[0].first.asset_id, pairs[1].title_id
    monkeypatch.setattr(viewers, "waiting", lambda _: select(Asset.id).where(Asset.asset_id.in_([own, tested])))
    known = features.known(settings)
    assert {own, tested} <= shown(settings, viewer, number), "of a file that nobody is asked about all pairs are shown"
    asked = {name: replace(one, audited_by=name) for name, one in known.items()}
    monkeypatch.setattr(features, "known", lambda _: asked)
    assert not {own, tested} & shown(settings, viewer, number)
    assert page_of_test(settings, viewer, number).waiting in {1, 2}
    assert other in {pair.title_id for pair in insight_page(settings, viewer, number).same}
    monkeypatch.setattr(features, "known", lambda _: known)
    monkeypatch.setattr(PeopleAsked, "of", measured_and_checked)
    assert not {own, tested} & shown(settings, viewer, number)


def shown(settings: Settings, viewer: Viewer, number: int) -> set[str]:
    """The images of the pairs on an insight's page, in the list, and on the page and in the file of its test."""
    page, listed = insight_page(settings, viewer, number), insights_page(settings, viewer)
    cards = [card.pair for card in (*listed.sure, *listed.unsure) if card.pair is not None]
    pairs = [*page.same, *page.other, *cards, *page_of_test(settings, viewer, number).pairs]
    file = {str(row["asset_id"]) for row in arms_rows(settings, viewer, number)[0]}
    return {side.asset_id for pair in pairs for side in (pair.first, pair.second)} | file


def test_the_file_of_a_test_has_no_formula_and_its_command_says_the_real_power(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = insights.listed(settings)[0]
    planned = arms.plan_test(settings, told)
    odd = replace(planned, arms=[replace(planned.arms[0], title_id="=1+1")], short=9, power=0.31)
    monkeypatch.setattr(arms, "plan_test", lambda *_: odd)
    to, where = tmp_path / "arms.csv", ["--workspace", str(settings.workspace)]
    done = CliRunner().invoke(attune, ["insights", "test", str(told.row.id), "--to", str(to), *where])
    assert done.exit_code == 0, done.output
    assert "only about 31 of 100 such tests find it" in " ".join(done.output.split())
    assert to.read_text().splitlines()[1].startswith("'=1+1,")
