"""Promote, roll back, retire: what is served changes at once or not at all, and the history keeps why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from attune.labeler.catalog import gates, listing
from attune.labeler.catalog.alias_history import history, pointing_at
from attune.labeler.catalog.promote import Move, promote, publish, retire, rollback
from attune.labeler.catalog.restore_files import restore
from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import parse_reference
from attune.models.clock import now, set_clock
from attune.models.errors import CatalogError, DataError, GateFailed, RetiredVersion, UnknownAttribute, UnknownProbe
from tests.labeler.catalog.worlds import FINGERPRINT, add_run, probe_of


def champion(settings: Settings, name: str = "serious") -> int:
    return listing.resolve(settings, parse_reference(name))[0]


def test_a_promoted_run_is_served_with_its_own_probe_and_facts(settings: Settings) -> None:
    moved = promote(settings, Move("serious", 2, "good enough", "ana"))
    catalog = Catalog(settings.catalog_address)
    manifest = catalog.manifest("serious", 2)
    assert (moved.version, moved.before, moved.alias) == (2, None, "champion")
    assert champion(settings) == catalog.resolve(parse_reference("serious")) == 2
    assert catalog.read(manifest, "probe.safetensors") == probe_of(settings, "serious", 2)
    assert manifest.digest == moved.digest == listing.resolve(settings, parse_reference("serious@2"))[1]
    assert (manifest.question, manifest.definition) == ("Is it serious?", "What serious means.")
    assert manifest.classes == ("serious", "not serious")
    assert manifest.encoder == FINGERPRINT.to_dict()
    assert manifest.metrics["average_precision"]["value"] == 0.7
    assert manifest.thresholds == {"serious": 0.5, "not serious": 0.5}


def test_no_address_of_an_expert_leaves_with_a_version(settings: Settings) -> None:
    promote(settings, Move("serious", 1, "r", "ana"))
    folder = settings.workspace / "catalog" / "probes" / "serious" / "1"
    assert json.loads((folder / "manifest.json").read_text())["labels"]["experts"] == 2
    assert not [file for file in folder.iterdir() if b"@example.org" in file.read_bytes()]


def test_latest_is_the_newest_run_and_other_aliases_stand_beside_champion(settings: Settings) -> None:
    assert promote(settings, Move("serious", "latest", "r", "ana", alias="challenger")).version == 3
    promote(settings, Move("serious", "1", "r", "ana"))
    assert listing.versions(settings, "serious")["aliases"] == {"challenger": 3, "champion": 1}


def test_a_published_version_stays_as_it_is_when_promoted_again(settings: Settings) -> None:
    promote(settings, Move("serious", 1, "first", "ana"))
    folder = settings.workspace / "catalog" / "probes" / "serious" / "1"
    before = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
    promote(settings, Move("serious", 2, "second", "ana"))
    promote(settings, Move("serious", 1, "third", "ana"))
    assert {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()} == before
    assert [(line.version, line.before) for line in history(settings, "serious")] == [(1, None), (2, 1), (1, 2)]


def test_rollback_goes_back_one_promotion_each_time_and_passes_over_the_retired(settings: Settings) -> None:
    add_run(settings)
    for version in (1, 2, 3, 4):
        promote(settings, Move("serious", version, "r", "ana"))
    assert rollback(settings, Move("serious", None, "4 is bad", "bo")).version == 3
    assert rollback(settings, Move("serious", None, "3 too", "bo")).version == 2
    promote(settings, Move("serious", 4, "mended", "bo"))
    retire(settings, Move("serious", 2, "wrong labels", "bo"))
    assert rollback(settings, Move("serious", None, "no, it is not", "bo")).version == 1
    with pytest.raises(CatalogError, match="had no champion before version 1"):
        rollback(settings, Move("serious", None, "again", "bo"))
    assert champion(settings) == 1


def test_rollback_without_a_champion_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(CatalogError, match=r"has no champion.*`attune probes promote serious latest --reason R`"):
        rollback(settings, Move("serious", None, "r", "ana"))


def test_a_version_is_retired_only_when_no_alias_points_at_it(settings: Settings) -> None:
    promote(settings, Move("serious", 1, "r", "ana"))
    with pytest.raises(CatalogError, match=r"version 1 is champion now.*promote serious VERSION --alias champion"):
        retire(settings, Move("serious", 1, "r", "ana"))
    promote(settings, Move("serious", 2, "r", "ana"))
    retire(settings, Move("serious", 1, "leaked titles", "ana"))
    with pytest.raises(RetiredVersion, match="leaked titles"):
        listing.resolve(settings, parse_reference("serious@1"))
    for again in (
        lambda: promote(settings, Move("serious", 1, "r", "a")),
        lambda: retire(settings, Move("serious", 1, "r", "a")),
    ):
        with pytest.raises(RetiredVersion, match="was retired at"):
            again()
    with pytest.raises(UnknownProbe, match="attune probes promote serious 3 --reason R"):
        retire(settings, Move("serious", 3, "r", "ana"))


def test_what_was_champion_on_a_date(settings: Settings) -> None:
    start = now()
    for day, version in enumerate((1, 2, 3)):
        with set_clock(lambda day=day: start + timedelta(days=day)):
            promote(settings, Move("serious", version, f"day {day}", "ana"))
    with set_clock(lambda: start + timedelta(days=5)):
        rollback(settings, Move("serious", None, "3 was worse", "bo"))
    at = [pointing_at(settings, "serious", start + timedelta(days=days)) for days in (-1, 0, 1.5, 4, 9)]
    assert [line.version if line else None for line in at] == [None, 1, 2, 3, 2]
    assert at[-1] is not None
    assert (at[-1].who, at[-1].reason, at[-1].action) == ("bo", "3 was worse", "rollback")


def test_the_history_keeps_its_order_when_a_clock_goes_back(settings: Settings) -> None:
    promote(settings, Move("serious", 1, "r", "ana"))
    with set_clock(lambda: now_before):
        now_before = history(settings, "serious")[0].at - timedelta(hours=1)
        promote(settings, Move("serious", 2, "r", "ana"))
    first, second = history(settings, "serious")
    assert second.at >= first.at
    assert champion(settings) == 2


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_every_move_needs_a_reason(settings: Settings, reason: str) -> None:
    promote(settings, Move("serious", 1, "r", "ana"))
    for move in (
        lambda: promote(settings, Move("serious", 2, reason, "ana")),
        lambda: rollback(settings, Move("serious", None, reason, "ana")),
        lambda: retire(settings, Move("serious", 1, reason, "ana")),
    ):
        with pytest.raises(DataError, match="reason: it is empty"):
            move()
    assert len(history(settings, "serious")) == 1


@pytest.mark.parametrize("alias", ["7", "", "Champion", "a b", "latest", "../x"])
def test_an_alias_is_a_word_and_never_a_number(settings: Settings, alias: str) -> None:
    with pytest.raises(DataError, match="alias:"):
        promote(settings, Move("serious", 1, "r", "ana", alias=alias))


def test_names_and_versions_that_are_not_there_are_named(settings: Settings) -> None:
    with pytest.raises(UnknownAttribute, match="Did you mean 'serious'"):
        promote(settings, Move("seriuos", 1, "r", "ana"))
    with pytest.raises(UnknownProbe, match=r"no version 9\. Its runs are 1 to 3"):
        promote(settings, Move("serious", 9, "r", "ana"))
    with pytest.raises(UnknownProbe, match="'two' is not a version"):
        promote(settings, Move("serious", "two", "r", "ana"))
    with pytest.raises(UnknownProbe, match="The probe 'nothing' does not exist"):
        listing.resolve(settings, parse_reference("nothing"))
    with pytest.raises(UnknownProbe, match=r"no published version '3'.*Aliases: none yet"):
        listing.resolve(settings, parse_reference("serious@3"))
    promote(settings, Move("serious", 3, "r", "ana"))
    with pytest.raises(UnknownProbe, match="Did you mean 'serious'"):
        listing.resolve(settings, parse_reference("seriuos"))


def test_a_job_that_runs_twice_writes_one_line_but_a_person_who_asks_twice_two(settings: Settings) -> None:
    asked = now()
    for _ in range(2):
        promote(settings, Move("serious", 1, "r", "ana", asked_at=asked))
    assert len(history(settings, "serious")) == 1
    promote(settings, Move("serious", 1, "r", "ana"))
    assert len(history(settings, "serious")) == 2


def test_what_a_killed_publisher_left_is_replaced_by_the_next(settings: Settings) -> None:
    folder = settings.workspace / "catalog" / "probes" / "serious" / "1"
    folder.mkdir(parents=True)
    (folder / "probe.safetensors").write_bytes(b"half")
    assert Catalog(settings.catalog_address).versions("serious") == []
    publish(settings, "serious", 1)
    (folder / "probe.onnx").write_bytes(b"altered while nobody knew of it")
    (folder / "manifest.json").write_text("{}")
    promote(settings, Move("serious", 1, "r", "ana"))
    catalog = Catalog(settings.catalog_address)
    assert catalog.read(catalog.manifest("serious", 1), "probe.safetensors") == probe_of(settings, "serious", 1)
    catalog.read(catalog.manifest("serious", 1), "probe.onnx")


def test_healing_restores_lost_files_and_a_stale_mirror(settings: Settings) -> None:
    promote(settings, Move("serious", 1, "r", "ana"))
    promote(settings, Move("romance", 1, "r", "ana"))
    folder = settings.workspace / "catalog" / "probes" / "serious"
    manifest = (folder / "1" / "manifest.json").read_bytes()
    assert restore(settings) == {"aliases": [], "versions": []}
    for file in (folder / "1").iterdir():
        file.unlink()
    (folder / "aliases.json").write_text('{"champion": 12')
    assert restore(settings) == {"aliases": ["serious"], "versions": ["serious@1"]}
    assert (folder / "1" / "manifest.json").read_bytes() == manifest
    assert Catalog(settings.catalog_address).aliases("serious") == {"champion": 1}


def test_an_enforced_gate_stops_a_promotion_until_somebody_overrides_it(settings: Settings) -> None:
    bounds = {"audit_lower_bound": {"bound": 0.65, "enforced": True}}
    with writing(settings) as session:
        attribute = session.query(Attribute).filter_by(name="serious").one()
        attribute.settings = attribute.settings | {"gates": bounds}
    with pytest.raises(GateFailed, match=r"audit_lower_bound: 0\.600, bound 0\.65"):
        promote(settings, Move("serious", 2, "r", "ana"))
    assert history(settings, "serious") == []
    promote(settings, Move("serious", 3, "passes with 0.7", "ana"))
    promote(settings, Move("serious", 2, "looked at by eye", "ana", override=True))
    lines = history(settings, "serious")
    assert [line.version for line in lines] == [3, 2]
    assert next(gate for gate in lines[1].gates if gate["name"] == "audit_lower_bound")["passed"] is False


def test_gates_that_bind_are_passed_against_the_champion_of_the_moment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(settings, Move("serious", 1, "r", "ana"))
    with writing(settings) as session:
        attribute = session.query(Attribute).filter_by(name="serious").one()
        attribute.settings = attribute.settings | {"gates": {"audit_lower_bound": {"bound": 0.1, "enforced": True}}}
    judge = gates.check

    def and_then_somebody_else_promotes(*asked: Any) -> Any:
        judged = judge(*asked)
        monkeypatch.setattr(gates, "check", judge)
        promote(settings, Move("serious", 3, "better", "bo"))
        return judged

    monkeypatch.setattr(gates, "check", and_then_somebody_else_promotes)
    with pytest.raises(CatalogError, match="serious@champion is now version 3, not version 1: bo"):
        promote(settings, Move("serious", 2, "judged beside version 1", "ana"))
    assert [line.version for line in history(settings, "serious")] == [1, 3]


def test_a_catalog_elsewhere_is_written_the_same_way(tmp_path: Path) -> None:
    from tests.labeler.catalog import worlds

    made = worlds.make(tmp_path / "workspace", catalog_url=f"memory://{tmp_path.name}/catalog")
    worlds.add_run(made)
    promote(made, Move("serious", 1, "r", "ana"))
    catalog = Catalog(made.catalog_address)
    assert catalog.names() == ["serious"]
    assert catalog.aliases("serious") == {"champion": 1}
    assert catalog.read(catalog.manifest("serious", 1), "probe.safetensors") == probe_of(made, "serious", 1)


@pytest.mark.parametrize("file", ["probe.safetensors", "card.md", "manifest.json"])
@pytest.mark.parametrize("harm", ["altered", "lost"])
def test_healing_thoroughly_writes_an_altered_or_lost_file_anew(settings: Settings, file: str, harm: str) -> None:
    promote(settings, Move("serious", 1, "r", "ana"))
    path = settings.workspace / "catalog" / "probes" / "serious" / "1" / file
    before = path.read_bytes()
    if harm == "lost":
        path.unlink()
    else:
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    assert restore(settings, thorough=True)["versions"] == ["serious@1"]
    assert path.read_bytes() == before
    assert restore(settings, thorough=True)["versions"] == []


def test_a_rollback_leads_to_whole_files_or_nowhere(settings: Settings) -> None:
    for version in (1, 2):
        promote(settings, Move("serious", version, "r", "ana"))
    lost = settings.workspace / "catalog" / "probes" / "serious" / "1" / "probe.safetensors"
    before = lost.read_bytes()
    lost.unlink()
    assert rollback(settings, Move("serious", None, "2 is bad", "bo")).version == 1
    assert lost.read_bytes() == before


def test_a_catalog_that_cannot_be_healed_keeps_nothing_else_from_starting(settings: Settings) -> None:
    from attune.labeler.services.foreground import heal_catalog

    promote(settings, Move("serious", 1, "r", "ana"))
    told: list[str] = []
    heal_catalog(settings, told.append)
    assert told == []
    (settings.workspace / "catalog" / "probes" / "serious" / "aliases.json").unlink()
    heal_catalog(settings, told.append)
    heal_catalog(replace(settings, catalog_url="nonsense://x"), told.append)
    assert "restored: serious" in told[0]
    assert "is unavailable" in told[1]
