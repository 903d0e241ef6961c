"""Another encoder: the pool is of the old one until every image has a vector of the new, and answers hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import active_fingerprint
from attune.labeler.assets.active_pool import open_pool
from attune.labeler.attributes import attributes, revisions
from attune.labeler.cli.main import attune
from attune.labeler.records.schema import Annotation, Asset
from attune.labeler.records.session import engine, reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.files.atomic import digest_bytes
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import embed, switch_encoder
from tests.support import factories

pytestmark = pytest.mark.torch

ENCODER = Path(__file__).parents[3] / "labeler" / "sample" / "encoder"
MODEL, WEIGHTS = str(ENCODER / "attune-sample.json"), str(ENCODER / "attune-sample.safetensors")
OTHER = "longest"  # another resize mode is another encoder: its vectors are others
COUNT = 6


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Six images with vectors of the sample encoder, one attribute, one answer; nobody is there to take jobs."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    reader.keep_settings(folder, encoder=MODEL, pretrained=WEIGHTS, resize_mode="squash", device="cpu", embed_batch=2)
    made = factories.workspace(folder, redis_port=1)
    assets = [picture(made, number) for number in range(COUNT)]
    embed.run(made)
    queue = factories.add_queue(made, factories.add_attribute(made), factories.add_expert(made))
    factories.add_answer(made, queue, assets[0], "romance")
    yield made
    engine(made.records_url).dispose()


def picture(settings: Settings, number: int) -> Asset:
    """An image in the pool, on disk."""
    path, content = settings.workspace / f"{number}.jpg", factories.picture(number)
    path.write_bytes(content)
    digest = digest_bytes(content)
    row = Asset(asset_id=path.name, title_id=path.name, uri=str(path), digest=digest, width=1, height=1, added_at=now())
    return factories._add(settings, [row])[0]


def mode(settings: Settings) -> str:
    """The resize mode of the encoder that the pool is of."""
    with reading(settings) as session:
        return str(active_fingerprint(session).preprocessing["resize_mode"])


def test_a_switch_that_is_killed_changes_nothing_and_goes_on_where_it_was(settings: Settings) -> None:
    class Killed(Exception):
        """What a kill looks like from inside."""

    def killed(done: int, total: int) -> None:
        if done >= 4:
            raise Killed

    with pytest.raises(Killed):
        switch_encoder.run(settings, killed, MODEL, WEIGHTS, OTHER)
    assert mode(settings) == "squash"
    assert sorted(map(len, sizes(settings))) == [4, COUNT]
    with reading(settings) as session:
        assert len(open_pool(settings, session).pool) == COUNT
        assert attributes.find(session, "romance").revision == 1
    picture(settings, COUNT)  # one more came meanwhile
    done = switch_encoder.run(settings, lambda *_: None, MODEL, WEIGHTS, OTHER)
    assert (done["embedded"], done["left_out"], done["attributes"]) == (3, [], ["romance"])
    assert mode(settings) == OTHER
    again = switch_encoder.run(settings, lambda *_: None, MODEL, WEIGHTS, OTHER)
    assert (again["embedded"], again["attributes"]) == (0, [])


def sizes(settings: Settings) -> list[set[str]]:
    """The ids that have a vector, by encoder."""
    store = VectorStore(settings.vectors)
    return [store.ids(fingerprint) for fingerprint in store.fingerprints()]


def test_afterwards_answers_hold_a_round_is_due_and_later_images_get_the_new_vectors(settings: Settings) -> None:
    switch_encoder.run(settings, lambda *_: None, MODEL, WEIGHTS, OTHER)
    fresh = reader.build({}, workspace=settings.workspace)
    assert fresh.resize_mode == OTHER
    with reading(settings) as session:
        found = attributes.find(session, "romance")
        assert (found.revision, found.answers_counter > found.learned_counter) == (2, True)
        ((field, before, after),) = revisions.difference(*revisions.history(session, found))
        assert (field, before) == ("encoder", None)
        assert OTHER in after or "attune-sample" in after
        assert session.scalars(select(Annotation)).one().deleted_at is None
    picture(settings, 99)
    assert embed.run(fresh)["embedded"] == 1
    with reading(settings) as session:
        assert len(open_pool(fresh, session).pool) == COUNT + 1


def test_an_image_that_is_gone_is_named_and_stops_nothing(settings: Settings) -> None:
    (settings.workspace / "3.jpg").unlink()
    done = switch_encoder.run(settings, lambda *_: None, MODEL, WEIGHTS, OTHER)
    assert [item["item"] for item in done["left_out"]] == ["3.jpg"]
    assert mode(settings) == OTHER


def test_the_command_switches_and_tells(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    base = ["config", "encoder", "--json", "--workspace", str(settings.workspace)]
    told = json.loads(CliRunner().invoke(attune, base).stdout)
    assert told["resize_mode"] == "squash"
    asked = [*base, MODEL, "--pretrained", WEIGHTS, "--resize-mode", OTHER]
    monkeypatch.setenv("ATTUNE_RESIZE_MODE", "squash")
    refused = CliRunner().invoke(attune, asked)
    assert isinstance(refused.exception, DataError)
    assert "ATTUNE_RESIZE_MODE is set in the environment" in str(refused.exception)
    monkeypatch.delenv("ATTUNE_RESIZE_MODE")
    assert json.loads(CliRunner().invoke(attune, asked).stdout)["embedded"] == COUNT
    assert mode(replace(settings)) == OTHER
