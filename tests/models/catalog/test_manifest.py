"""The manifest comes back as it was, and what does not belong into one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attune.models.catalog.manifest import check_file, parse_reference, read_manifest
from attune.models.errors import BadProbeFile, UnknownProbe
from tests.models.catalog.manifests import make

KEYS = [
    *("attribute", "classes", "code_version", "created_at", "data_digest", "definition", "encoder", "files"),
    *("format_version", "labels", "metrics", "question", "revision", "thresholds", "version"),
]


def changed(**changes: Any) -> bytes:
    return json.dumps(make().to_dict() | changes).encode()


def test_the_file_holds_the_documented_keys_and_comes_back() -> None:
    manifest = make()
    assert sorted(json.loads(manifest.to_bytes())) == KEYS
    assert read_manifest(manifest.to_bytes()) == manifest
    assert read_manifest(manifest.to_bytes()).digest == manifest.digest


def test_keys_of_a_later_writer_are_left_out() -> None:
    assert read_manifest(changed(licence="CC0")) == make()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a probe's manifest"),
        (b"[]", "not a probe's manifest"),
        (b'{"format_version": 1}', "'attribute' is missing"),
        (changed(format_version=2), "reads at most 1. Install a newer Attune"),
        (changed(attribute="../x"), "not a name of an attribute"),
        (changed(classes=["one"]), "2 or more classes"),
        (changed(encoder={}), "an encoder with a dimension"),
        (changed(files={"../../.bashrc": {"sha256": "a" * 64, "bytes": 1}}), "lists the file '../../.bashrc'"),
        (changed(files={"manifest.json": {"sha256": "a" * 64, "bytes": 1}}), "lists the file"),
        (changed(files={"probe.onnx": {"sha256": "short", "bytes": 1}}), "64 hexadecimal"),
        (changed(created_at="yesterday"), "not a probe's manifest"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_reason(content: bytes, said: str) -> None:
    with pytest.raises(BadProbeFile, match=said):
        read_manifest(content)


@pytest.mark.parametrize(
    ("text", "name", "ref", "version"),
    [
        ("romance", "romance", "champion", None),
        ("romance@challenger", "romance", "challenger", None),
        ("serious-expression@12", "serious-expression", "12", 12),
    ],
)
def test_a_reference_names_a_version_or_an_alias(text: str, name: str, ref: str, version: int | None) -> None:
    reference = parse_reference(text)
    assert (reference.name, reference.ref, reference.version) == (name, ref, version)


@pytest.mark.parametrize(
    "text", ["", "@", "romance@", "../etc@1", "a/b", "romance@0", "romance@-1", "romance@1.5", "R@1"]
)
def test_a_reference_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UnknownProbe):
        parse_reference(text)


@pytest.mark.parametrize(
    "file", ["..", ".", "", "../manifest.json", "a/b.md", ".hidden", "x\x00.md", "PROBE.ONNX", "a..b"]
)
def test_no_file_name_leads_out_of_a_version(file: str) -> None:
    with pytest.raises(UnknownProbe):
        check_file(file)
