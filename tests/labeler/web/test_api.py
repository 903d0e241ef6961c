"""Pipelines over HTTP: what they get, how long they may keep it, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from flask import Flask
from flask.testing import FlaskClient

from attune.labeler.catalog.promote import Move, promote, retire
from attune.labeler.jobs import jobs
from attune.labeler.people import tokens
from attune.labeler.settings import Settings, secrets
from attune.models.catalog.manifest import read_manifest
from attune.models.files.atomic import digest_bytes
from tests.labeler.catalog import worlds


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A workspace with published versions 1 and 2 of ``serious``; 2 is champion, and the pool is scored with it."""
    made = worlds.filled(tmp_path / "workspace")
    worlds.add_assets(made, 12)
    for version in (1, 2):
        promote(made, Move("serious", version, "r", "ana"))
    jobs.run_here(made, "score", attribute="serious", version=2)
    return made


@pytest.fixture
def pipeline(app: Flask, settings: Settings) -> FlaskClient:
    """A machine with a token."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(settings, 'nightly')}"
    return client


def test_the_list_names_versions_aliases_and_figures(pipeline: FlaskClient) -> None:
    told = pipeline.get("/api/v1/probes").json
    assert (told["total"], told["page"], told["pages"]) == (1, 1, 1)
    (probe,) = told["probes"]
    assert (probe["attribute"], probe["versions"], probe["aliases"]) == ("serious", [1, 2], {"champion": 2})
    assert probe["average_precision"]["value"] == 0.7


def test_an_alias_is_asked_for_anew_and_a_version_kept_for_ever(pipeline: FlaskClient) -> None:
    by_alias, by_version = pipeline.get("/api/v1/probes/serious/champion"), pipeline.get("/api/v1/probes/serious/2")
    assert by_alias.data == by_version.data
    assert read_manifest(by_alias.data).version == 2
    assert by_alias.headers["Attune-Version"] == by_version.headers["Attune-Version"] == "2"
    assert by_alias.headers["Cache-Control"] == "private, no-cache"
    assert by_version.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert by_alias.headers["ETag"] == f'"{digest_bytes(by_alias.data)}"'
    assert by_alias.content_type == "application/json"


def test_an_etag_holds_until_the_alias_moves(pipeline: FlaskClient, settings: Settings) -> None:
    first = pipeline.get("/api/v1/probes/serious/champion")
    again = pipeline.get("/api/v1/probes/serious/champion", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["Attune-Version"]) == (304, b"", "2")
    promote(settings, Move("serious", 1, "r", "ana"))
    moved = pipeline.get("/api/v1/probes/serious/champion", headers={"If-None-Match": first.headers["ETag"]})
    assert (moved.status_code, moved.headers["Attune-Version"]) == (200, "1")


@pytest.mark.parametrize("file", ["probe.safetensors", "probe.onnx", "card.md", "manifest.json"])
def test_every_file_comes_with_its_digest_and_in_ranges(pipeline: FlaskClient, file: str) -> None:
    manifest = read_manifest(pipeline.get("/api/v1/probes/serious/2").data)
    whole = pipeline.get(f"/api/v1/probes/serious/champion/files/{file}")
    if file in manifest.files:
        assert manifest.files[file].sha256 == digest_bytes(whole.data)
    assert whole.headers["ETag"] == f'"{digest_bytes(whole.data)}"'
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = pipeline.get(f"/api/v1/probes/serious/2/files/{file}", headers={"Range": "bytes=5-14"})
    assert (part.status_code, part.data) == (206, whole.data[5:15])
    assert part.headers["Content-Range"] == f"bytes 5-14/{len(whole.data)}"
    beyond = pipeline.get(f"/api/v1/probes/serious/2/files/{file}", headers={"Range": "bytes=9999999-"})
    assert beyond.status_code == 416
    head = pipeline.head(f"/api/v1/probes/serious/2/files/{file}")
    assert (head.status_code, head.data, head.content_length) == (200, b"", len(whole.data))


@pytest.mark.parametrize("asked", ["items=0-3", "bytes=5-2", "bytes=0-1,4-5", "nonsense"])
@pytest.mark.parametrize("address", ["probes/serious/2/files/probe.onnx", "features/serious/2"])
def test_a_range_that_is_not_served_gets_the_whole(pipeline: FlaskClient, address: str, asked: str) -> None:
    whole = pipeline.get(f"/api/v1/{address}", buffered=True)
    told = pipeline.get(f"/api/v1/{address}", headers={"Range": asked}, buffered=True)
    assert (told.status_code, told.data) == (200, whole.data)
    head = pipeline.head(f"/api/v1/{address}", headers={"Range": "bytes=0-3"}, buffered=True)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(whole.data)))
    beyond = pipeline.get(f"/api/v1/{address}", headers={"Range": "bytes=9999999-"}, buffered=True)
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole.data)}")


def test_feature_values_are_parquet_with_ranges_and_an_etag(pipeline: FlaskClient) -> None:
    whole = pipeline.get("/api/v1/features/serious/champion", buffered=True)
    assert pq.read_table(io.BytesIO(whole.data)).num_rows == 12
    assert whole.headers["Attune-Version"] == "2"
    part = pipeline.get("/api/v1/features/serious/2", headers={"Range": "bytes=0-3"}, buffered=True)
    assert (part.status_code, part.data) == (206, b"PAR1")
    same = pipeline.get("/api/v1/features/serious/2", headers={"If-None-Match": whole.headers["ETag"]}, buffered=True)
    assert same.status_code == 304


@pytest.mark.parametrize(
    ("path", "status", "error", "said"),
    [
        ("/api/v1/probes/nothing/champion", 404, "UnknownProbe", "Existing probes: serious"),
        ("/api/v1/probes/romance/champion", 404, "UnknownProbe", "no published version"),
        ("/api/v1/probes/serious/9", 404, "UnknownProbe", "Newest versions: 2, 1"),
        ("/api/v1/probes/serious/challenger", 404, "UnknownProbe", "Aliases: champion"),
        ("/api/v1/probes/serious/0", 404, "UnknownProbe", "'0' is not a version number"),
        ("/api/v1/probes/SERIOUS/2", 404, "UnknownProbe", "not a name of an attribute"),
        ("/api/v1/probes/serious/2/files/other.bin", 404, "UnknownProbe", "no file"),
        ("/api/v1/probes/serious/2/files/..", 404, "UnknownProbe", "not a file"),
        ("/api/v1/probes/%2e%2e/2", 404, "UnknownProbe", "not a name"),
        ("/api/v1/probes/serious/2/files/%2e%2e%5csecrets.json", 404, "UnknownProbe", "not a file"),
        ("/api/v1/probes/serious/%00", 400, "Bad Request", "NUL"),
        ("/api/v1/features/serious/1", 404, "UnknownProbe", "no feature values yet"),
        ("/api/v1/probes?page=0", 422, "DataError", "page"),
        ("/api/v1/probes?size=many", 422, "DataError", "size"),
    ],
)
def test_what_is_not_there_or_cannot_be_is_told_as_json(
    pipeline: FlaskClient, path: str, status: int, error: str, said: str
) -> None:
    response = pipeline.get(path)
    assert (response.status_code, response.json["error"]) == (status, error)
    assert said in response.json["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/probes/serious/2/files/../../../../secrets.json",
        "/api/v1/probes/serious/2/files/..%2f..%2f..%2f..%2fsecrets.json",
        "/api/v1/probes/..%2f..%2fsecrets.json/2",
        "/api/v1/features/..%2f..%2fprobes/2",
    ],
)
def test_no_path_leads_out_of_the_catalog(pipeline: FlaskClient, settings: Settings, path: str) -> None:
    kept = secrets.load(settings.secrets).session_key
    response = pipeline.get(path)
    assert response.status_code == 404
    assert kept not in response.text


def test_a_retired_version_is_gone_with_the_reason(pipeline: FlaskClient, settings: Settings) -> None:
    retire(settings, Move("serious", 1, "labels were wrong", "ana"))
    response = pipeline.get("/api/v1/probes/serious/1")
    assert (response.status_code, response.json["error"]) == (410, "RetiredVersion")
    assert "labels were wrong" in response.json["message"]


def test_altered_files_are_not_served(pipeline: FlaskClient, settings: Settings) -> None:
    path = settings.workspace / "catalog" / "probes" / "serious" / "2" / "probe.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    response = pipeline.get("/api/v1/probes/serious/2/files/probe.safetensors")
    assert (response.status_code, response.json["error"]) == (409, "DigestMismatch")


def test_no_token_a_wrong_one_and_a_revoked_one_are_refused(app: Flask, settings: Settings) -> None:
    live = tokens.issue(settings, "nightly")
    addresses = [
        "/api/v1/probes",
        "/api/v1/probes/serious/champion",
        "/api/v1/probes/serious/2/files/card.md",
        "/api/v1/features/serious/2",
        "/api/v1/openapi.json",
    ]
    client = app.test_client()
    for address in addresses:
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {live}"}):
            response = client.get(address, headers=header)
            assert (response.status_code, response.json["error"]) == (401, "Unauthorized"), (address, header)
        assert client.get(address, headers={"Authorization": f"Bearer {live}"}, buffered=True).status_code == 200
    tokens.revoke(settings, "nightly")
    assert client.get(addresses[0], headers={"Authorization": f"Bearer {live}"}).status_code == 401
    own = secrets.load(settings.secrets).machine_token
    assert client.get(addresses[0], headers={"Authorization": f"Bearer {own}"}).status_code == 200
