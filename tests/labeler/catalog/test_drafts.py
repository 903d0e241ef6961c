"""A class without answers: no version hides it, a draft says so everywhere, and old versions stay as they are."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.catalog import gates, listing
from attune.labeler.catalog.alias_history import history
from attune.labeler.catalog.gate_outcomes import read
from attune.labeler.catalog.promote import Move, promote, publish, rollback
from attune.labeler.catalog.restore_files import restore
from attune.labeler.catalog.run_facts import find_run
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Promotion, Run, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.attribute_tabs import versions_tab
from attune.labeler.views.history import page as history_page
from attune.labeler.views.home import home
from attune.labeler.views.review import review
from attune.labeler.views.versions import version_page
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import from_dict, read_manifest
from attune.models.catalog.probe_files import probe_bytes
from attune.models.errors import GateFailed, NoAnswers
from tests.labeler.catalog import worlds

OWNER = Viewer("owner", "olga")


def count(settings: Settings, number: int, counts: dict[str, int] | None, **more: Any) -> None:
    """Let run ``number`` of serious have been made of ``counts``; None: of before counts were kept."""
    with writing(settings) as session:
        attribute = attributes.find(session, "serious")
        run = find_run(session, attribute, number)
        run.labels = ({} if counts is None else {"classes": counts}) | more
        run.answers = sum((counts or {}).values())


def judged(settings: Settings, number: int) -> dict[str, gates.Gate]:
    with reading(settings) as session:
        run = find_run(session, attributes.find(session, "serious"), number)
    return {gate.name: gate for gate in gates.check(settings, "serious", run)}


@pytest.mark.parametrize(
    "counts", [{}, {"not serious": 400}, {"serious": 400}, {"unsure": 9, "serious": 0}], ids=["none", "no", "yes", "?"]
)
def test_a_class_without_answers_is_not_promoted(settings: Settings, counts: dict[str, int]) -> None:
    count(settings, 3, counts)
    missing = [name for name in ("serious", "not serious") if not counts.get(name)]
    for override in (False, True):
        with pytest.raises(NoAnswers) as refused:
            promote(settings, Move("serious", 3, "r", "ana", override=override))
        assert all(f"“{name}”" in str(refused.value) for name in missing)
        assert "--draft" in str(refused.value)
        assert "attune batch serious" in str(refused.value)
    assert history(settings, "serious") == []
    assert Catalog(settings.catalog_address).versions("serious") == []


def test_a_probe_that_says_the_same_of_every_image_is_no_draft_either(settings: Settings) -> None:
    count(settings, 3, {})
    with writing(settings) as session:
        run = find_run(session, attributes.find(session, "serious"), 3)
        run.probe = probe_bytes(np.zeros((1, worlds.DIMENSION)), np.zeros(1), np.array([[1.0, 0.0]]))
    with pytest.raises(NoAnswers, match=r"learned nothing.*attune batch serious"):
        promote(settings, Move("serious", 3, "r", "ana", override=True, draft=True))
    assert history(settings, "serious") == []
    assert Catalog(settings.catalog_address).versions("serious") == []


def test_answers_that_all_contradict_are_no_champion(settings: Settings) -> None:
    count(settings, 3, {"serious": 12, "not serious": 12}, learned={})
    with pytest.raises(NoAnswers, match=r"“serious”.*“not serious”.*serious 12.*--draft"):
        promote(settings, Move("serious", 3, "r", "ana"))
    gate = judged(settings, 3)["answers_per_class"]
    assert (gate.value, gate.passed) == (0, False)
    assert promote(settings, Move("serious", 3, "r", "ana", draft=True)).draft


@pytest.mark.parametrize("alias", ["champion", "challenger", "tryout"])
def test_a_draft_is_marked_wherever_it_is_read(settings: Settings, alias: str) -> None:
    count(settings, 3, {"not serious": 12}, learned={"serious": 0, "not serious": 12})
    moved = promote(settings, Move("serious", 3, "from phrases", "ana", alias, draft=True))
    assert moved.to_dict()["draft"] is True
    catalog = Catalog(settings.catalog_address)
    manifest = catalog.manifest("serious", 3)
    assert json.loads(catalog.manifest_bytes("serious", 3))["draft"] is True
    assert manifest.draft
    assert manifest.digest == moved.digest
    card = catalog.read(manifest, "card.md").decode()
    assert "draft" in card.split("---")[1]
    assert "“serious”" in card
    row = listing.versions(settings, "serious")["versions"][0]
    assert (row["version"], row["draft"]) == (3, True)
    assert listing.published(settings).items[0]["drafts"] == [3]
    assert version_page(settings, "serious", 3).draft
    assert version_page(settings, "serious", 3).moves[0].draft
    assert history_page(settings, "serious").moves.items[0].draft
    assert review(settings, OWNER, "serious", "3").candidate.draft
    assert versions_tab(settings, OWNER, "serious").versions.items[0].draft
    cards = {card.name: card.draft for card in home(settings, OWNER).cards.items}
    assert cards == {"serious": alias == "champion", "romance": False}


def test_a_version_of_answered_classes_is_never_a_draft(settings: Settings) -> None:
    moved = promote(settings, Move("serious", 3, "r", "ana", draft=True))
    assert not moved.draft
    assert "draft" not in json.loads(Catalog(settings.catalog_address).manifest_bytes("serious", 3))
    assert listing.published(settings).items[0]["drafts"] == []
    assert promote(settings, Move("serious", 3, "again", "ana")).digest == moved.digest


def test_a_draft_still_has_to_pass_the_gates(settings: Settings) -> None:
    count(settings, 3, {"not serious": 12})
    with writing(settings) as session:
        attribute = attributes.find(session, "serious")
        attribute.settings = attribute.settings | {"gates": {"audit_lower_bound": {"bound": 0.9, "enforced": True}}}
    with pytest.raises(GateFailed):
        promote(settings, Move("serious", 3, "r", "ana", draft=True))
    assert promote(settings, Move("serious", 3, "r", "ana", override=True, draft=True)).draft


def test_versions_from_before_drafts_stay_readable(settings: Settings) -> None:
    """They were published of no answer at all, without a mark: files, digest and rollback are as they were."""
    count(settings, 1, {"serious": 1, "not serious": 1})
    promote(settings, Move("serious", 1, "then", "ana"))
    count(settings, 1, {})
    catalog = Catalog(settings.catalog_address)
    content = catalog.manifest_bytes("serious", 1)
    with reading(settings) as session:
        kept = session.scalar(select(Version.manifest))
    assert from_dict(kept or {}).to_bytes() == content
    assert not read_manifest(content).draft
    assert publish(settings, "serious", 1).to_bytes() == content
    promote(settings, Move("serious", 2, "now", "ana"))
    assert rollback(settings, Move("serious", None, "back", "ana")).version == 1
    with pytest.raises(NoAnswers):
        promote(settings, Move("serious", 1, "once more", "ana"))
    assert promote(settings, Move("serious", 1, "on purpose", "ana", draft=True)).draft is False
    assert restore(settings, thorough=True) == {"aliases": [], "versions": []}


def test_runs_without_counts_are_promoted_as_before(settings: Settings) -> None:
    count(settings, 3, None)
    gate = judged(settings, 3)["answers_per_class"]
    assert (gate.outcome, bool(gate.reason)) == ("not known", True)
    assert promote(settings, Move("serious", 3, "r", "ana")).version == 3


def test_the_gate_of_classes_names_the_missing(settings: Settings) -> None:
    count(settings, 3, {"not serious": 400})
    gate = judged(settings, 3)["answers_per_class"]
    assert (gate.outcome, gate.value) == ("not passed", 0)
    assert "“serious”" in gate.reason
    assert judged(settings, 2)["answers_per_class"].outcome == "passed"


def test_no_gate_passes_on_nothing(settings: Settings) -> None:
    """No champion to be worse than, no answer to count, a champion beside itself: none of that is passed."""
    count(settings, 3, {})
    with writing(settings) as session:
        attribute = attributes.find(session, "serious")
        nothing = {"bound": 0, "enforced": True}
        named = dict.fromkeys(("audit_answers", "answers_per_class", "not_worse_than_champion", "encoder"), nothing)
        attribute.settings = attribute.settings | {"gates": named}
        session.query(Run).filter_by(number=3).update({"metrics": {}, "encoder_digest": "e" * 64})
    told = judged(settings, 3)
    assert {name: told[name].outcome for name in named} == dict.fromkeys(named, "not applicable")
    assert all(told[name].reason for name in named)
    assert not any(gate.outcome == "passed" for gate in told.values())
    assert not gates.failing(list(told.values()))
    with writing(settings) as session:
        session.query(Run).filter_by(number=3).update({"encoder_digest": worlds.FINGERPRINT.digest})
    promote(settings, Move("serious", 3, "r", "ana", draft=True))
    assert judged(settings, 3)["not_worse_than_champion"].outcome == "not applicable"
    kept = {gate["name"]: gate for gate in history(settings, "serious")[0].gates}
    assert kept["not_worse_than_champion"]["outcome"] == "not applicable"
    assert kept["not_worse_than_champion"]["passed"] is None
    assert history(settings, "serious")[0].overridden == []


def test_old_lines_do_not_pass_on_nothing(settings: Settings) -> None:
    promote(settings, Move("serious", 1, "r", "ana"))
    old = {
        "name": "not_worse_than_champion",
        "passed": True,
        "value": None,
        "bound": 0.0,
        "enforced": True,
        "text": "t",
    }
    failed = old | {"name": "calibration", "passed": False, "value": 0.4}
    unknown = old | {"name": "agreement", "passed": None}
    with writing(settings) as session:
        session.query(Promotion).update({"gates": [old, failed, unknown, old | {"name": "encoder", "value": 1.0}]})
    line = history(settings, "serious")[0]
    assert [gate["outcome"] for gate in line.gates] == ["not applicable", "not passed", "not known", "passed"]
    assert line.overridden == ["calibration", "agreement"]


def test_a_gate_reads_back_as_it_was_kept(settings: Settings) -> None:
    for gate in judged(settings, 1).values():
        assert read(gate.to_dict()) == gate
