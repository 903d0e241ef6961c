"""Looking again costs: the first answer and all later ones share the chance of a false finding; --q decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.insights import features, imported, insights, publishing, questions, runs
from attune.labeler.insights.family import decide, look_of
from attune.labeler.insights.insights import Told
from attune.labeler.performance import imports
from attune.labeler.records.schema import InsightQuestion, InsightVersion, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import AccessError, DataError
from attune.models.insights.any_time import Look, any_time_p, later_ci, later_p
from attune.workers.jobs import run_insights
from tests.support import factories, performed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """One question with an effect of a few standard errors; nobody has looked."""
    made = factories.workspace(tmp_path / "workspace")
    performed.bring(made, performed.files(tmp_path, performed.names(40), 0.05, seed=3))
    return made


def answer(settings: Settings, q: float = 0.1) -> Told:
    run_insights.run(settings, q=q)
    found = [one for one in insights.listed(settings) if one.question.feature == "smiles" and not one.question.canvas]
    return found[0]


def test_the_first_look_stays_the_first_until_performance_comes(settings: Settings, tmp_path: Path) -> None:
    one = answer(settings)
    assert one.figures["any_time"]["look"] == "first"
    assert one.figures["q"] == one.figures["any_time"]["p"] == 2 * one.figures["p"]
    low, high = one.figures["any_time"]["ci"]
    assert low < one.figures["ci"][0] < one.figures["ci"][1] < high
    known = performed.files(tmp_path, performed.names(40), 0.0, seed=4).feature
    imported.add(settings, known, "other", "olga")
    questions.register_features(settings, features.known(settings), "other", "olga")
    again = answer(settings)
    assert again.newest.version == 2  # another question is in the family
    assert again.figures["any_time"] == one.figures["any_time"]
    more = performed.files(tmp_path, performed.names(40), 0.04, ("tv",), seed=3)
    imports.add(settings, more.performance, arm="explore")
    later = answer(settings).figures
    assert later["any_time"]["look"] == "later"
    first, now = (Look(*(told[name] for name in ("estimate", "se", "p", "degrees"))) for told in (one.figures, later))
    assert later["any_time"]["p"] == any_time_p(now, first)
    assert later["any_time"]["p"] >= 2 * later["p"]


def test_a_first_look_at_other_evidence_makes_a_later_one_no_surer() -> None:
    """A question that served rows answered first, and random ones since: the first figure says nothing of theirs."""
    first = {"estimate": 0.3, "se": 0.02, "p": 1e-20, "degrees": 200.0, "basis": "every", "random": False,
             "within": True, "values": "v"}  # fmt: skip
    now = first | {"estimate": 0.2, "se": 0.09, "p": 0.03}
    look = Look(0.2, 0.09, 0.03, 200.0)

    def told(**changed: object) -> Any:
        figures = now | changed
        decide([{"figures": figures, "question": InsightQuestion(id=1)}], {1: look_of(first)}, 0.1)
        return figures["any_time"]

    assert told()["p"] == pytest.approx(0.06)
    alone = {"p": later_p(look), "look": "later", "ci": list(later_ci(look, 0.95))}
    assert alone["p"] > 0.2
    others: tuple[dict[str, object], ...] = ({"basis": "random", "random": True}, {"within": False},
              {"values": "others"}, {"corrected": {"estimate": 0.2}}, {"audits": 60})  # fmt: skip
    for changed in others:  # the last: of an insight and of a dependence whose errors were corrected since
        assert told(**changed) == alone
    first, now = first | {"corrected": {"estimate": 0.3}}, now | {"corrected": None}  # and the way back
    assert told() == alone


def test_answers_of_an_earlier_method_are_stale(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    one = answer(settings)
    assert one.moved == ()
    with writing(settings) as session:
        version = session.get_one(InsightVersion, one.newest.id)
        version.inputs = {"of": version.inputs["of"]}  # as answers before the method was kept
    assert insights.find(settings, one.row.id).moved == ("made by an earlier method",)
    monkeypatch.setattr(insights, "METHOD", insights.METHOD + 1)
    again = answer(settings)
    assert (again.moved, again.newest.version) == ((), one.newest.version + 1)
    monkeypatch.setattr(insights, "METHOD", insights.METHOD + 1)
    assert insights.find(settings, one.row.id).moved == ("made by an earlier method",)


def test_only_figures_that_audits_corrected_have_an_earlier_method(settings: Settings) -> None:
    """How the error of a correction is told changed; what nobody audited did not."""
    answer(settings)
    moving = insights.Moving(settings)
    beside = [{"other": "light", "audits": 60}, {"other": "faces", "audits": None}]
    for figures, method, stale in (
        ({"corrected": {"audits": 60}}, 5, True), ({"corrected": {"audits": 60}}, 6, False),
        ({"corrected": None}, 4, False), ({"corrected": None}, 3, True),
        ({"corrected": None, "depends": beside}, 4, True), ({"corrected": None, "holding": beside[1:]}, 4, False),
    ):  # fmt: skip
        version = InsightVersion(figures=figures, inputs={"of": [], "method": method})
        assert bool(moving.of(InsightQuestion(kind="attribute"), version)) is stale


def test_the_runs_own_q_decides_what_is_sure(settings: Settings) -> None:
    one = answer(settings)
    q = one.figures["q"]
    assert one.enough
    strict = answer(settings, q=q / 2)
    assert (strict.enough, strict.newest.version) == (False, 2)
    with pytest.raises(DataError, match=f"at most {q / 2:g} is allowed"):
        publishing.publish(settings, one.row.id, "sure", "olga")
    assert answer(settings, q=0.5).largest_q == 0.1


def test_a_run_that_is_killed_leaves_nothing_to_see_and_then_who_asks_has_seen_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Path(performed.files(tmp_path, performed.names(200), 0.5, seed=3).performance)
    imports.add(settings, str(rows), arm="explore")
    three = {line.split(",")[0]: ("two", "none", "many")[int(line.split(",")[4]) % 3] for line in
             rows.read_text().split()[1:]}  # fmt: skip
    lines = ["asset_id,value", *(f"{name},{value}" for name, value in three.items()), ""]
    (tmp_path / "three.csv").write_text("\n".join(lines))
    imported.add(settings, str(tmp_path / "three.csv"), "faces", "olga")
    monkeypatch.setattr(runs.discover, "SCREEN", 1.1)  # everything is a question

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runs, "decide", killed)
        with pytest.raises(KeyboardInterrupt):
            run_insights.run(settings)
    with reading(settings) as session:
        assert [row.origin for row in session.scalars(select(InsightQuestion))] == ["import"]
    mine = questions.ask(settings, features.known(settings)["faces"], "none:two", who="ana").row
    assert not mine.seen
    done = runs.run(settings, lambda *_: None)
    with reading(settings) as session:
        asked = [row for row in session.scalars(select(InsightQuestion)) if row.feature == "faces"]
    assert done.found
    assert sorted(row.origin for row in asked) == ["discovery", "discovery", "person"]
    assert questions.ask(settings, features.known(settings)["faces"], "none:two", "home", who="ana").row.seen


def test_a_question_that_is_asked_during_a_run_is_the_persons(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.discover, "SCREEN", 1.1)
    with writing(settings) as session:
        session.delete(session.scalars(select(InsightQuestion)).one())
    decide = runs.decide

    def meanwhile(*arguments: object) -> None:
        questions.ask(settings, features.known(settings)["smiles"], who="ana")
        decide(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runs, "decide", meanwhile)
    run_insights.run(settings)
    with reading(settings) as session:
        (row,) = session.scalars(select(InsightQuestion))
    assert (row.asked_by, row.titles, row.seen) == ("ana", "all", False)


def test_a_run_of_somebody_who_is_no_owner_any_more_is_not_kept(settings: Settings) -> None:
    factories.add_user(settings, "olga@example.org", "expert")
    with reading(settings) as session:
        user = session.scalars(select(User.id)).one()
    with pytest.raises(AccessError, match="no longer an owner"):
        run_insights.run(settings, asked_by=user)
    with reading(settings) as session:
        assert insights.last_run(session) is None
