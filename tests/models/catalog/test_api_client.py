"""The client against a served console: what a token reads, and what is said where it may not or nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import attune
from attune.labeler.people import tokens
from attune.labeler.settings import Settings
from attune.models.errors import (
    AccessError,
    CatalogError,
    CatalogUnreachable,
    UnknownAsset,
    UnknownAttribute,
    UnknownProbe,
)
from tests.support import published, web


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return published.workspace(tmp_path_factory.mktemp("client") / "workspace")


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    with published.served(settings) as found:
        yield found


def test_a_pipelines_token_lists_reads_and_pulls(settings: Settings, address: str, tmp_path: Path) -> None:
    house = attune.connect(f"{address}/", tokens.issue(settings, "nightly"))
    assert [one["attribute"] for one in house.probes()] == ["romance", "serious"]
    manifest = house.manifest("serious")
    assert (manifest.attribute, manifest.classes) == ("serious", ("serious", "not serious"))
    table = pq.read_table(house.feature_values("romance@champion", to=tmp_path / "romance.parquet"))
    assert table.num_rows == 3 * published.ASSETS
    pulled = house.pull("serious", to=tmp_path / "probe")
    assert attune.load_probe(tmp_path / "probe").manifest.version == pulled.manifest.version == manifest.version


def test_every_page_of_the_list_is_read(settings: Settings, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attune.models.catalog.api_client._SIZE", 1)
    assert len(attune.connect(address, tokens.issue(settings, "pages")).probes()) == 2


def test_labels_are_for_those_who_manage_them(settings: Settings, address: str) -> None:
    owner = attune.connect(address, tokens.issue(settings, "olga", "owner"))
    assert owner.labels("serious") == []
    with pytest.raises(UnknownAttribute):
        owner.labels("nothing-of-this-name")
    with pytest.raises(AccessError, match="attune token create NAME --role owner"):
        attune.connect(address, tokens.issue(settings, "pipe")).labels("serious")
    tokens.revoke(settings, "pipe")
    with pytest.raises(AccessError) as refused:  # a role does not help a token that is not accepted at all
        attune.connect(address, "at_nothing").labels("serious")
    assert "--role" not in str(refused.value)


def test_no_token_and_an_unknown_probe_are_errors_of_attune(settings: Settings, address: str, tmp_path: Path) -> None:
    with pytest.raises(attune.AttuneError, match="token"):
        attune.connect(address).probes()
    house = attune.connect(address, tokens.issue(settings, "unknown"))
    with pytest.raises(UnknownProbe):
        house.manifest("nothing-of-this-name")
    with pytest.raises(UnknownProbe):
        house.feature_values("serious@challenger", to=tmp_path / "none.parquet")
    assert not list(tmp_path.iterdir()), "a file that could not be had leaves nothing behind"


def test_an_address_that_does_not_answer_says_so_without_the_librarys_words() -> None:
    with pytest.raises(CatalogUnreachable) as caught:
        attune.connect("http://127.0.0.1:9", "t").probes()
    assert "http://127.0.0.1:9" in str(caught.value)
    assert not {"HTTPConnection", "urllib3", "Errno"} & set(str(caught.value).replace("(", " ").split())
    with pytest.raises(CatalogError, match=r"^'127\.0\.0\.1:8700'.*http://127.0.0.1:8700"):
        attune.connect("127.0.0.1:8700")


def test_the_token_does_not_follow_a_redirect_and_other_servers_are_recognised() -> None:
    pages: dict[str, bytes | str] = {"/api/v1/probes/serious/champion": b"<html>"}
    with web.answers(pages) as (other, asked):
        with pytest.raises(attune.AttuneError):
            attune.connect(other, "secret").manifest("serious")
        pages["/api/v1/probes/serious/champion"] = f"{other}/elsewhere"
        with pytest.raises(CatalogError, match="302"):
            attune.connect(other, "secret").manifest("serious")
        assert not [path for path in asked if "elsewhere" in path]


def test_an_owner_reads_questions_and_tables(settings: Settings, address: str) -> None:
    owner = attune.connect(address, tokens.issue(settings, "tables", "owner"))
    questions = {row["attribute"]: row for row in owner.questions()}
    assert questions["serious"]["classes"] == ["serious", "not serious"]
    assert (questions["serious"]["answers"], questions["serious"]["revision"]) == (0, 1)
    values = owner.values("romance@champion")
    assert values.num_rows == 3 * published.ASSETS
    assert {"asset_id", "class", "probability"} <= set(values.column_names)
    assert owner.labels_table("serious").num_rows == 0
    with pytest.raises(UnknownProbe):
        owner.values("serious@nobody")


def test_a_search_by_title_needs_no_worker(settings: Settings, address: str) -> None:
    owner = attune.connect(address, tokens.issue(settings, "search", "owner"))
    assert len(owner.search(title="a", top=5)) == 5
    with pytest.raises(AccessError):
        attune.connect(address, tokens.issue(settings, "search-pipe")).search(title="a")


def test_a_search_that_no_worker_does_is_given_up_with_what_to_do(settings: Settings, address: str) -> None:
    owner = attune.connect(address, tokens.issue(settings, "patient", "owner"))
    with pytest.raises(attune.AttuneError, match=r"attune (doctor|status)"):
        owner.search(text="a serious face", patience=0)


def test_a_grid_shows_what_can_be_read_and_leaves_a_place_for_the_rest(
    settings: Settings, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attune.labeler.assets.media.thumbnail", lambda settings, asset, size: b"a-jpeg")
    owner = attune.connect(address, tokens.issue(settings, "grid", "owner"))
    first = owner.search(title="", top=1)[0]["asset_id"]
    assert owner.image(first) == b"a-jpeg"
    html = owner.grid({first: 0.5, "<nothing>": "why & how"})._repr_html_()
    assert html.count("<img") == 1
    assert "YS1qcGVn" in html
    assert "0.50" in html
    assert "no picture" in html
    assert "why &amp; how" in html
    with pytest.raises(UnknownAsset):
        owner.image("<nothing>")
    with pytest.raises(AccessError):
        attune.connect(address, tokens.issue(settings, "grid-pipe")).image(first)
