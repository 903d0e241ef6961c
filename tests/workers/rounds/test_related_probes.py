"""What a round leans on: the others' champions of the same encoder, told by the run and gone when switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.catalog.related_probes import relatives
from attune.labeler.catalog.run_facts import labels_of
from attune.labeler.jobs import learn_lease
from attune.labeler.records.schema import Attribute, Queue, Run, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import LEANS_ON
from attune.models.catalog.probe_files import probe_bytes
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.workers.rounds import learning_round, snapshot
from tests.support import factories
from tests.workers.rounds.test_revised import SIZE, workspace


def head(name: str, size: int = SIZE) -> bytes:
    weight = np.random.default_rng(len(name)).normal(size=(1, size))
    return probe_bytes(weight, [0.0], [[1.0, 0.0]])


# As ``workspace`` has it: the same draw of titles.
RESERVE: Mapping[str, float] = {"seed": 3, "reserved_share": 0.3}


def publish(
    settings: Settings,
    name: str,
    encoder: str,
    alias: str = "champion",
    probe: bytes | None = None,
    leans_on: Sequence[str] = (),
    reserve: Mapping[str, float] = RESERVE,
) -> None:
    attribute = factories.add_attribute(settings, name, classes=["yes", "no"])
    with writing(settings) as session:
        session.get_one(Attribute, attribute.id).settings = dict(reserve)
    run = factories.add_run(
        settings,
        attribute,
        100,
        probe=head(name) if probe is None else probe,
        encoder_digest=encoder,
        labels={LEANS_ON: list(leans_on)} if leans_on else {},
    )
    factories.publish(settings, run, alias)


def learned(settings: Settings, queue: Queue) -> Run:
    seen = snapshot.take_snapshot(settings, "romance")
    held = learn_lease.acquire_lease(settings, queue.attribute_id)
    assert held is not None
    number = learning_round.learn(settings, seen, learning_round.known_prompts(settings, seen), held).run
    held.release(seen.attribute.answers_counter)
    with reading(settings) as session:
        return session.scalars(select(Run).where(Run.attribute_id == queue.attribute_id, Run.number == number)).one()


def test_a_round_leans_on_the_others_champions_says_so_and_stops_when_told(tmp_path: Path) -> None:
    settings, queue = workspace(tmp_path)
    alone = learned(settings, queue)
    assert LEANS_ON not in alone.labels
    encoder = alone.encoder_digest
    publish(settings, "drama", encoder)
    publish(settings, "comedy", encoder)
    publish(settings, "elsewhere", "another encoder")
    publish(settings, "untried", encoder, alias="challenger")
    factories.publish(settings, alone)  # its own champion is no relative: it has learned from the same answers

    leaning = learned(settings, queue)
    assert leaning.labels[LEANS_ON] == ["comedy@1", "drama@1"]
    assert labels_of(leaning)[LEANS_ON] == ["comedy@1", "drama@1"]
    assert leaning.data_digest != alone.data_digest
    assert leaning.probe != alone.probe
    assert learned(settings, queue).number == leaning.number, "nothing changed, so the run stands"

    off = replace(settings, use_published=False)
    again = learned(off, queue)
    assert LEANS_ON not in again.labels
    assert again.probe == alone.probe


@pytest.mark.parametrize("reserve", [{"seed": 4, "reserved_share": 0.3}, {"seed": 3, "reserved_share": 0.2}, {}])
def test_a_champion_that_may_have_learned_from_our_audit_titles_is_no_relative(
    tmp_path: Path, reserve: dict[str, float]
) -> None:
    settings, queue = workspace(tmp_path)
    encoder = learned(settings, queue).encoder_digest
    publish(settings, "drama", encoder, reserve=reserve)
    publish(settings, "comedy", encoder, reserve={"seed": 3, "reserved_share": 0.4})
    assert [one.reference for one in snapshot.take_snapshot(settings, "romance").relatives] == ["comedy@1"]


def test_attributes_of_a_workspace_reserve_the_same_titles_so_they_may_lean_on_each_other(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    with writing(settings) as session:
        made = [
            attributes.create(session, Definition(name, f"Is it {name}?", ("yes", "no"), "As it says."), settings)
            for name in ("drama", "comedy")
        ]
        assert made[0].settings == made[1].settings


@pytest.mark.parametrize("gone", ["attribute", "version"])
def test_what_was_retired_is_leaned_on_no_more(tmp_path: Path, gone: str) -> None:
    settings, queue = workspace(tmp_path)
    publish(settings, "drama", learned(settings, queue).encoder_digest)
    assert [one.reference for one in snapshot.take_snapshot(settings, "romance").relatives] == ["drama@1"]
    with writing(settings) as session:
        drama = session.scalars(select(Attribute).where(Attribute.name == "drama")).one()
        version = session.scalars(select(Version).where(Version.attribute_id == drama.id)).one()
        (drama if gone == "attribute" else version).retired_at = now()
    assert snapshot.take_snapshot(settings, "romance").relatives == ()


def test_a_champion_that_leaned_on_this_attribute_is_no_relative_at_any_remove(tmp_path: Path) -> None:
    settings, queue = workspace(tmp_path)
    own = learned(settings, queue)
    factories.publish(settings, own)
    publish(settings, "comedy", own.encoder_digest, leans_on=["romance@1"])
    publish(settings, "drama", own.encoder_digest, leans_on=["comedy@1"])
    publish(settings, "epic", own.encoder_digest, leans_on=["romance-2@1"])
    assert [one.reference for one in snapshot.take_snapshot(settings, "romance").relatives] == ["epic@1"]
    with reading(settings) as session:
        epic = session.scalars(select(Attribute).where(Attribute.name == "epic")).one()
        seen = relatives(session, epic, Fingerprint("external", "vectors", "external:0", SIZE))
    assert [one.reference for one in seen] == ["comedy@1", "drama@1", "romance@1"]


@pytest.mark.parametrize("broken", [b"no safetensors", head("drama", SIZE + 1)], ids=["unreadable", "other-dimension"])
def test_a_champion_that_cannot_be_read_is_warned_of_and_stops_nobody_elses_learning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: bytes
) -> None:
    settings, queue = workspace(tmp_path)
    encoder = learned(settings, queue).encoder_digest
    publish(settings, "comedy", encoder)
    publish(settings, "drama", encoder, probe=broken)
    assert learned(settings, queue).labels[LEANS_ON] == ["comedy@1"]
    assert "drama@1 is not used as a related probe" in caplog.text
