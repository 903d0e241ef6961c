"""Publishing looks again in the transaction that writes: at the state, the version and the owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from attune.labeler.insights import companions, features, imported, insights, publishing, removing
from attune.labeler.insights.companions import HOLDING, Wanted
from attune.labeler.performance import imports
from attune.labeler.records.schema import InsightQuestion, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import AccessError, DataError, UnknownFeature
from attune.workers.jobs import run_insights
from tests.support import factories, performed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """One sure answer, insight 1."""
    made = factories.workspace(tmp_path / "workspace")
    performed.bring(made, performed.files(tmp_path, performed.names(80), 0.3))
    run_insights.run(made)
    return made


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """``happens`` once, right before publishing begins to write."""
    left = [happens]

    @contextmanager
    def after(settings: Settings) -> Iterator[Session]:
        if left:
            left.pop()()
        with writing(settings) as session:
            yield session

    monkeypatch.setattr(publishing, "writing", after)


def test_what_another_owner_retires_in_the_meantime_stays_retired(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: publishing.retire(settings, 1, "wrong", "otto"))
    with pytest.raises(DataError, match="A retired insight stays retired"):
        publishing.publish(settings, 1, "sure", "olga")
    assert insights.find(settings, 1).row.state == "retired"


def test_a_version_that_ends_in_the_meantime_is_not_published_unread(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = performed.files(tmp_path, performed.names(80), -0.3, seed=1)

    def run_again() -> None:
        imports.add(settings, more.performance, arm="explore")
        run_insights.run(settings)

    meanwhile(monkeypatch, run_again)
    with pytest.raises(DataError, match="has a newer answer: version 2, and you chose version 1"):
        publishing.publish(settings, 1, "sure", "olga", version=1)
    assert insights.find(settings, 1).row.published is None


def test_performance_that_comes_in_the_meantime_makes_it_stale(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = performed.files(tmp_path, performed.names(80), -0.3, seed=1)
    meanwhile(monkeypatch, lambda: imports.add(settings, more.performance, arm="explore"))
    with pytest.raises(DataError, match="is stale"):
        publishing.publish(settings, 1, "sure", "olga")


def test_who_is_no_owner_any_more_neither_publishes_nor_retires(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.add_user(settings, "olga@example.org", "owner")
    with writing(settings) as session:
        user = session.query(User).one().id

    def leaves() -> None:
        with writing(settings) as session:
            session.get_one(User, user).role = "expert"

    meanwhile(monkeypatch, leaves)
    with pytest.raises(AccessError, match="no longer an owner"):
        publishing.publish(settings, 1, "sure", "olga", asked_by=user)
    with pytest.raises(AccessError, match="no longer an owner"):
        publishing.retire(settings, 1, "wrong", "olga", user)
    assert insights.find(settings, 1).row.state == "proposed"


def test_a_feature_is_removed_once_no_published_insight_needs_it_and_its_history_stays(
    settings: Settings, tmp_path: Path
) -> None:  # fmt: skip
    numbers = [f"{name},{place % 4}.5" for place, (name, _) in enumerate(performed.names(80))]
    (tmp_path / "light.csv").write_text("\n".join(["asset_id,value", *numbers, ""]))
    imported.add(settings, str(tmp_path / "light.csv"), "light")
    known = features.known(settings)
    with reading(settings) as session:
        question = session.get_one(InsightQuestion, insights.find(settings, 1).question.id)
    companions.ask(settings, question, known["smiles"], Wanted(HOLDING, known["light"]))
    publishing.publish(settings, 1, "sure", "olga")
    for name in ("smiles", "light"):
        with pytest.raises(DataError, match=f"(?s)Insight 1 is published and about {name}.*attune insights retire 1 "):
            removing.remove(settings, name, "wrong file", "olga")
    publishing.retire(settings, 1, "wrong file", "olga")
    done = removing.remove(settings, "smiles", "wrong file", "olga")
    assert (done.kind, done.version, done.questions) == ("imported", 1, [question.id])
    assert sorted(features.known(settings)) == ["light"]
    with pytest.raises(UnknownFeature, match="attune features list"):
        removing.remove(settings, "smiles", "wrong file", "olga")
    one = insights.find(settings, 1)
    assert one.moved == ("smiles is gone",)
    assert one.figures["titles"] > 30, "it says what it said"
    again = imported.add(settings, str(tmp_path / "smiles.csv"), "smiles")
    assert (again.row.version, again.row.file) == (3, known["smiles"].digest), "who removed it, and why, is version 2"
