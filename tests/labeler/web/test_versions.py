"""The history's pages and endpoint, and a version's page: what was champion when, and everything about one version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from attune.labeler.catalog.promote import Move, promote, retire, rollback
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.labeler.web.markdown import render
from attune.models.clock import parse, set_clock
from tests.labeler.catalog import worlds
from tests.labeler.web.conftest import Actor

MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    """Champion is 1 from 1 March 2026, 2 from 11 March, 1 again from 21 March; then 2 is retired."""
    made = worlds.filled(tmp_path / "workspace", redis_url=redis_url)
    moves = (
        lambda: promote(made, Move("serious", 1, "the first", "ana")),
        lambda: promote(made, Move("serious", 2, "better", "bo")),
        lambda: rollback(made, Move("serious", None, "worse after all", "bo")),
        lambda: retire(made, Move("serious", 2, "not to be used", "ana")),
    )
    for number, move in enumerate(moves):
        with set_clock(lambda at=MARCH + timedelta(days=10 * number): at):
            move()
    return made


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.mark.parametrize(
    ("on", "version", "who"),
    [
        ("0910-07-18", None, None),
        ("2026-02-28", None, None),
        ("2026-03-01", 1, "ana"),
        ("2026-03-01T11:59", None, None),
        ("2026-03-11T12:00:00Z", 2, "bo"),
        ("2026-03-20", 2, "bo"),
        ("2026-03-21T14:00+02:00", 1, "bo"),
        ("2026-11-01", 1, "bo"),
    ],
)
def test_what_was_champion_on_a_date(
    pipeline: Actor, owner: Actor, on: str, version: int | None, who: str | None
) -> None:
    told = pipeline.client.get("/api/v1/probes/serious/history", query_string={"on": on}).json
    assert (told["version"], (told["line"] or {}).get("who")) == (version, who)
    assert parse(told["on"]).year == int(on[:4])
    page = owner.client.get("/attributes/serious/history", query_string={"on": on}).text
    assert (f'versions/{version}">version {version}</a> was in use' in page) == (version is not None)
    assert ("there was no version in use" in page) == (version is None)


def test_the_whole_history_comes_in_pages_newest_first(pipeline: Actor, owner: Actor) -> None:
    told = pipeline.get("/api/v1/probes/serious/history?size=3").json
    assert (told["total"], told["pages"], [line["action"] for line in told["history"]]) == (
        4, 2, ["retire", "rollback", "promote"],
    )  # fmt: skip
    assert pipeline.get("/api/v1/probes/serious/history?size=3&page=2").json["history"][0]["reason"] == "the first"
    page = owner.get("/attributes/serious/history").text
    assert page.index("not to be used") < page.index("worse after all") < page.index("the first")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/v1/probes/serious/history?on=soon", 422, "on: 'soon' is not a date"),
        ("/api/v1/probes/serious/history?on=0001-01-01T00:00%2B23:00", 422, "is not a date"),
        ("/api/v1/probes/serious/history?on=2026-03-01&alias=7", 422, "alias: '7' is not allowed"),
        ("/api/v1/probes/serious/history?page=0", 422, "page:"),
        ("/api/v1/probes/nothing/history", 404, "does not exist"),
        ("/attributes/serious/history?on=soon", 422, "is not a date"),
        ("/attributes/serious/versions/3", 404, "is not published"),
        ("/attributes/serious/versions/9", 404, "no version 9"),
        ("/attributes/nothing/history", 404, "does not exist"),
    ],
)
def test_what_cannot_be_answered_is_said(owner: Actor, path: str, status: int, said: str) -> None:
    reply = owner.get(path)
    assert reply.status_code == status
    assert said in reply.text.replace("&#39;", "'")


def test_a_version_shows_its_card_its_files_and_how_to_pull_it(owner: Actor, settings: Settings) -> None:
    page = owner.get("/attributes/serious/versions/1").text
    assert "How good it is</h3>" in page
    assert "attune pull serious@champion --to serious" in page
    assert "/api/v1/probes/serious/champion/files/probe.safetensors" in page
    for file in ("probe.safetensors", "probe.onnx", "card.md"):
        assert owner.get(f"/api/v1/probes/serious/1/files/{file}").status_code == 200
        assert file in page
    assert "No feature values yet" in page
    gone = owner.get("/attributes/serious/versions/2").text
    assert "retired 2026-03-31" in gone
    assert "not to be used" in gone
    assert "attune pull" not in gone.partition("Model card")[0]


def test_a_card_that_was_altered_is_not_shown(owner: Actor, settings: Settings) -> None:
    (settings.workspace / "catalog" / "probes" / "serious" / "1" / "card.md").write_text("# All is well")
    page = owner.get("/attributes/serious/versions/1")
    assert page.status_code == 200
    assert "All is well" not in page.text
    assert "attune probes heal" in page.text


def test_a_card_is_rendered_without_what_it_must_not_hold() -> None:
    table = "| a | b |\n| --- | --- |\n| [x](javascript:alert(1)) | `c` |"
    html = render(f"# Title\n\n> A <script>alert(1)</script> question\n\n## Part\n\n{table}\n")
    assert "<script>" not in html
    assert "Title" not in html
    assert "<h3>Part</h3>" in html
    assert 'href="javascript' not in html
    assert '<div class="scroll" tabindex="0">' in html


def test_long_names_in_a_card_break_at_their_joints_and_wide_rows_can_stack() -> None:
    wide = "| figure | value | how |\n| --- | --- | --- |\n| average_precision:n_o | 0.9 | by <b> & `a_b` |\n"
    html = render(f"{wide}\ntext\n\n| fact | value |\n| --- | --- |\n| trained_on | 6 |\n")
    assert '<td data-label="figure"><span>average_<wbr>precision:<wbr>n_<wbr>o</span></td>' in html
    assert '<td data-label="how"><span>by &lt;b&gt; &amp; <code>a_b</code></span></td>' in html
    assert html.count('class="table stacked figures-table"') == html.count('class="table pairs-table"') == 1
