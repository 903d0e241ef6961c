"""Answers of one class, or of none that decides: a round says so, and what is published labels nothing by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attune.labeler.attributes import attributes
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.catalog.reading import _merge, features_of
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Annotation, Asset, Expert, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.feature_values import SCHEMA
from attune.models.catalog.manifest import parse_reference
from attune.models.clock import now
from attune.models.errors import NoAnswers
from attune.models.labels.answers import UNSURE
from tests.labeler.catalog import worlds

ASSETS = 60


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = worlds.make(tmp_path / "workspace")
    worlds.add_assets(made, ASSETS)
    return made


def answer(settings: Settings, *values: str) -> None:
    """Each value is that of one more expert, on every image of the pool."""
    with writing(settings) as session:
        attribute = attributes.find(session, "serious")
        for number, value in enumerate(values):
            who = {"email": f"e{number}@example.org", "name": f"E{number}", "every_attribute": False}
            expert = Expert(**who, added_at=now(), removed_at=now())
            session.add(expert)
            session.flush()
            for asset in session.query(Asset):
                session.add(
                    Annotation(
                        attribute_id=attribute.id,
                        revision=1,
                        asset_pk=asset.id,
                        expert_id=expert.id,
                        value=value,
                        purpose="import",
                        answered_at=now(),
                        updated_at=now(),
                        received_at=now(),
                    )
                )
        attribute.answers_counter += len(values)


def labels(settings: Settings) -> list[Any]:
    jobs.run_here(settings, "score", attribute="serious", version=1)
    return list(pq.read_table(features_of(settings, parse_reference("serious")).path)["label"].to_pylist())


@pytest.mark.parametrize(("value", "missing"), [("not serious", "serious"), ("serious", "not serious")])
def test_one_class_is_said_and_never_stands_for_the_other(settings: Settings, value: str, missing: str) -> None:
    answer(settings, value)
    done = jobs.run_here(settings, "learn", attribute="serious")
    assert done["unanswered"] == [missing]
    assert [f"“{missing}”" in told for told in done["warnings"]] == [True]
    with pytest.raises(NoAnswers):
        promote(settings, Move("serious", "latest", "r", "ana"))
    assert promote(settings, Move("serious", "latest", "r", "ana", draft=True)).draft
    assert labels(settings) == [value] * ASSETS


@pytest.mark.parametrize("values", [(), (UNSURE,), ("serious", "not serious")], ids=["none", "unsure", "contradicted"])
def test_what_decides_nothing_gives_no_label(
    settings: Settings, values: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(settings, *values)
    done = jobs.run_here(settings, "learn", attribute="serious")
    assert bool(done["unanswered"]) is (len(values) < 2)
    assert done["warnings"]
    with pytest.raises(NoAnswers, match="learned nothing"):
        promote(settings, Move("serious", "latest", "r", "ana", draft=True))
    monkeypatch.setattr("attune.labeler.catalog.promote.refuse_untaught", lambda *_: None)  # as before there was this
    promote(settings, Move("serious", "latest", "r", "ana", draft=True))
    assert labels(settings) == [None] * ASSETS


def test_a_run_keeps_what_it_learned_by_class(settings: Settings) -> None:
    answer(settings, "serious")
    jobs.run_here(settings, "learn", attribute="serious")
    with reading(settings) as session:
        held = session.query(Run).one().labels
    assert held["classes"] == {"serious": ASSETS}
    assert held["learned"] == {"serious": held["trained_on"], "not serious": 0}


def test_parts_from_before_a_label_could_be_null_merge(settings: Settings, tmp_path: Path) -> None:
    catalog = Catalog(settings.catalog_address)
    row = dict.fromkeys(("title_id", "attribute", "class"), "x") | {"version": 1, "logit": 0.0, "probability": 0.5}
    rows = [
        row | {"asset_id": name, "label": label, "event_timestamp": now()} for name, label in (("a", "x"), ("b", None))
    ]
    old = pa.schema([field.with_nullable(field.name == "title_id") for field in SCHEMA])
    for part, (schema, held) in {"part-0.parquet": (old, rows[0]), "part-1.parquet": (SCHEMA, rows[1])}.items():
        with catalog.writing_part("serious", 1, part) as file:
            pq.write_table(pa.Table.from_pylist([held], schema=schema), file)
    _merge(catalog, "serious", 1, ["part-0.parquet", "part-1.parquet"], tmp_path / "one.parquet")
    assert pq.read_table(tmp_path / "one.parquet")["label"].to_pylist() == ["x", None]
