"""The catalog on an S3-compatible server: promoted, scored, pulled, healed and rolled back as in a folder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from attune.labeler.catalog.promote import Move, promote, rollback
from attune.labeler.catalog.restore_files import restore
from attune.labeler.jobs import jobs
from attune.labeler.people import tokens
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.probe_files import read_probe
from attune.models.catalog.pull_probe import pull
from attune.models.errors import CatalogUnreachable
from tests.labeler.catalog import worlds
from tests.support import object_store, published


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of an S3-compatible server with a bucket."""
    with object_store.served("attune") as address:
        yield address


@pytest.fixture
def settings(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A workspace whose catalog is a bucket; its champion is scored."""
    object_store.use(monkeypatch, store)
    return published.workspace(tmp_path / "workspace", catalog_url=f"s3://attune/{tmp_path.name}")


def test_a_champion_in_a_bucket_is_pulled_and_scored(settings: Settings, tmp_path: Path) -> None:
    direct = pull("romance", tmp_path / "direct", url=settings.catalog_address, cache=tmp_path / "cache")
    with published.served(settings) as address:
        token = tokens.issue(settings, "nightly")
        served = pull("romance", tmp_path / "served", address, token, cache=tmp_path / "other")
    assert direct.manifest == served.manifest
    for name in direct.manifest.files:
        assert (tmp_path / "direct" / name).read_bytes() == (tmp_path / "served" / name).read_bytes()
    assert not (settings.workspace / "catalog").exists(), "nothing of it stays on this machine"


def test_feature_values_come_from_the_bucket_whole(settings: Settings) -> None:
    catalog = Catalog(settings.catalog_address)
    with fsspec.filesystem("s3").open(catalog.feature_address("serious", 3, "part-00000.parquet")) as opened:
        direct = pq.read_table(opened)
    client = create_app(settings).test_client()
    shown = {"Authorization": f"Bearer {tokens.issue(settings, 'nightly')}"}
    reply = client.get("/api/v1/features/serious/champion", headers=shown, buffered=True)
    served = pq.read_table(io.BytesIO(reply.data))
    assert served.equals(direct)
    assert served.num_rows == published.ASSETS
    probe = read_probe(catalog.read(catalog.manifest("serious", 3), "probe.safetensors"))
    assert np.isfinite(served["probability"].to_numpy()).all()
    assert probe.dimension == worlds.DIMENSION


def test_the_next_version_leaves_the_old_values_and_rolls_back(settings: Settings) -> None:
    catalog = Catalog(settings.catalog_address)
    before = catalog.manifest_bytes("serious", 3)
    promote(settings, Move("serious", 1, "r", "ana"))
    jobs.run_here(settings, "score", attribute="serious", version=1)
    assert catalog.aliases("serious") == {"champion": 1}
    assert catalog.feature_parts("serious", 3) == catalog.feature_parts("serious", 1) == ["part-00000.parquet"]
    rollback(settings, Move("serious", None, "it was better", "ana"))
    assert catalog.aliases("serious") == {"champion": 3}
    assert catalog.manifest_bytes("serious", 3) == before


def test_lost_objects_are_healed_from_the_records(settings: Settings) -> None:
    store = fsspec.filesystem("s3")
    root = settings.catalog_address.removeprefix("s3://")
    for name in ("manifest.json", "probe.safetensors"):
        store.rm(f"{root}/probes/serious/3/{name}")
    restore(settings)
    catalog = Catalog(settings.catalog_address)
    manifest = catalog.manifest("serious", 3)
    assert all(catalog.read(manifest, name) for name in manifest.files)


def test_a_store_that_is_gone_is_told_as_such(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    object_store.use(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(CatalogUnreachable, match="ATTUNE_CATALOG_URL"):
        Catalog(settings.catalog_address).manifest_bytes("serious", 3)
    shown = {"Authorization": f"Bearer {tokens.issue(settings, 'nightly')}"}
    reply = create_app(settings).test_client().get("/api/v1/probes/serious/3/files/card.md", headers=shown)
    assert (reply.status_code, reply.json["error"]) == (503, "CatalogUnreachable")
