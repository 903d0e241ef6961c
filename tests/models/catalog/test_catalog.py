"""The catalog's storage behaves alike on a folder, in memory and on an object store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import Manifest, parse_reference
from attune.models.catalog.probe_files import probe_bytes
from attune.models.catalog.version_files import make_version
from attune.models.errors import CatalogError, CatalogUnreachable, DigestMismatch, UnknownProbe, VersionExists
from tests.models.catalog.manifests import make
from tests.support import object_store


def version(number: int, seed: int = 0) -> tuple[Manifest, dict[str, bytes]]:
    weight = np.random.default_rng(seed).normal(size=(3, 4))
    return make_version(make(version=number, files={}), probe_bytes(weight, np.zeros(3), np.tile([1.0, 0.0], (3, 1))))


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """An S3-compatible server on a free port, with a bucket."""
    with object_store.served("catalog") as address:
        yield address


@pytest.fixture(params=["folder", "memory", "s3"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    if request.param == "folder":
        return Catalog(str(tmp_path / "catalog"))
    if request.param == "memory":
        return Catalog(f"memory://{tmp_path.name}/catalog")
    object_store.use(monkeypatch, request.getfixturevalue("s3"))
    return Catalog(f"s3://catalog/{tmp_path.name}")


def test_a_version_comes_back_as_it_was_published(catalog: Catalog) -> None:
    manifest, contents = version(7)
    assert (catalog.names(), catalog.versions("romance"), catalog.aliases("romance")) == ([], [], {})
    catalog.publish(manifest, contents)
    assert catalog.manifest("romance", 7) == manifest
    assert {name: catalog.read(manifest, name) for name in contents} == contents
    assert (catalog.names(), catalog.versions("romance")) == (["romance"], [7])


def test_aliases_and_references(catalog: Catalog) -> None:
    with pytest.raises(UnknownProbe, match=r"no alias 'champion'.*none yet"):
        catalog.resolve(parse_reference("romance"))
    catalog.write_aliases("romance", {"champion": 7})
    catalog.write_aliases("romance", {"champion": 8, "challenger": 9})
    assert catalog.resolve(parse_reference("romance")) == 8
    assert catalog.resolve(parse_reference("romance@challenger")) == 9
    assert catalog.resolve(parse_reference("romance@3")) == 3


def test_a_version_never_changes_unless_nobody_was_told_of_it(catalog: Catalog) -> None:
    catalog.publish(*version(7))
    catalog.publish(*version(7))
    with pytest.raises(VersionExists, match="a version never changes"):
        catalog.publish(*version(7, seed=1))
    assert catalog.manifest("romance", 7) == version(7)[0]
    catalog.publish(*version(7, seed=1), replace=True)
    assert catalog.manifest("romance", 7) == version(7, seed=1)[0]


def test_feature_values_appear_whole_and_are_listed(catalog: Catalog) -> None:
    with catalog.writing_part("romance", 7, "part-00001.parquet") as file:
        file.write(b"second")
    with catalog.writing_part("romance", 7, "part-00000.parquet") as file:
        file.write(b"first")
        assert "part-00000.parquet" not in catalog.feature_parts("romance", 7)
    assert catalog.feature_parts("romance", 7) == ["part-00000.parquet", "part-00001.parquet"]
    with catalog.reading_part("romance", 7, "part-00000.parquet") as opened:
        assert opened.read() == b"first"
    catalog.remove_part("romance", 7, "part-00000.parquet")
    catalog.remove_part("romance", 7, "part-00000.parquet")
    assert catalog.feature_parts("romance", 7) == ["part-00001.parquet"]
    with (
        pytest.raises(UnknownProbe, match="has no feature values"),
        catalog.reading_part("romance", 7, "part-9.parquet"),
    ):
        pass


def test_what_is_not_there_is_named(catalog: Catalog) -> None:
    with pytest.raises(UnknownProbe, match="romance version 7 does not exist"):
        catalog.manifest("romance", 7)
    catalog.publish(*version(7))
    for file in ("other.bin", "../7/card.md", "..", "/etc/passwd"):
        with pytest.raises(UnknownProbe, match=r"no file|not a file"):
            catalog.read(version(7)[0], file)
    with pytest.raises(UnknownProbe, match="not a name of an attribute"):
        catalog.manifest("../romance", 7)


def test_altered_bytes_are_never_handed_out(tmp_path: Path) -> None:
    catalog = Catalog(str(tmp_path))
    manifest, contents = version(7)
    catalog.publish(manifest, contents)
    path = tmp_path / "probes" / "romance" / "7" / "probe.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(DigestMismatch, match="its manifest states"):
        catalog.read(manifest, "probe.safetensors")
    catalog.publish(manifest, contents)
    assert catalog.read(manifest, "probe.safetensors") == contents["probe.safetensors"], "publishing again mends it"
    (tmp_path / "probes" / "romance" / "aliases.json").write_text("[1]")
    with pytest.raises(CatalogError, match="probes heal"):
        catalog.aliases("romance")


def test_an_address_that_does_not_answer_says_which_setting_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CatalogUnreachable, match=r"nonsense://x is unavailable\. Check ATTUNE_CATALOG_URL"):
        Catalog("nonsense://x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    object_store.use(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(CatalogUnreachable, match=r"s3://gone/catalog is unavailable"):
        Catalog("s3://gone/catalog").versions("romance")
