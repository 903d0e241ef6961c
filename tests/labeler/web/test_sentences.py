"""Sentences of the templates, rendered alone: without records, services or requests."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from flask import Flask

from attune.labeler.explore.pool_scores import RankedRight
from attune.labeler.views.history import Move
from attune.labeler.views.moves import Progress, Step
from attune.labeler.web import filters

TEMPLATES = Path(filters.__file__).parent / "templates"
TWO, THREE = ("serious", "other"), ("serious", "cheerful", "neither")
UNEQUAL, EVEN = RankedRight(60, 20, 18, 6.4, 0.22, 0.14, 0.31), RankedRight(60, 20, 18, 6.4, 0.22, 0.14, 0.31, True)

NAMES = {"m": "macros", "r": "review"}


@pytest.fixture(scope="module")
def alone() -> Flask:
    app = Flask("alone", template_folder=str(TEMPLATES))
    filters.init_app(app)
    app.jinja_env.globals.update(word=lambda word, text="": text or word, url_for=lambda *_, **__: "#")
    return app


def said(app: Flask, source: str, **values: object) -> str:
    with app.test_request_context():
        head = '{% import "_macros.html" as m with context %}{% import "_ranked.html" as ranked with context %}'
        head += '{% import "_review.html" as r with context %}'
        text = app.jinja_env.from_string(head + source).render(**values)
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


HOW = "{{ ranked.how(right, name, classes) }}"


def test_the_class_that_audits_are_drawn_by_is_named(alone: Flask) -> None:
    by_first = "images that look like “serious” are drawn more often"
    for name in TWO:
        assert by_first in said(alone, HOW, right=UNEQUAL, name=name, classes=TWO)
        assert by_first in said(alone, HOW, right=RankedRight(60, 20, 18, 6.4), name=name, classes=TWO)
    assert "look like “cheerful” are drawn more" in said(alone, HOW, right=UNEQUAL, name="cheerful", classes=THREE)
    assert "more often" not in said(alone, HOW, right=EVEN, name="other", classes=TWO)


def test_none_of_a_class_are_not_all_that_there_are(alone: Flask) -> None:
    text = said(alone, "{{ ranked.plain(right, 'serious') }}", right=RankedRight(60, 20, 0, 0.0))
    assert "all that there are" not in text
    assert "0 are “serious”, and none of the 60 audit images is." in text


def moved(app: Flask, alias: str | None, action: str = "promote") -> str:
    line = Move(datetime(2026, 1, 1, tzinfo=UTC), "Olga", action, alias, 3, 2, "to try it")
    return said(app, "{{ r.moves(found, 'serious') }}", found=[line])


def test_only_a_move_of_the_champion_puts_a_version_into_use(alone: Flask) -> None:
    assert "put into use 2 → 3" in moved(alone, "champion")
    assert "given to programs that ask for challenger 2 → 3" in moved(alone, "challenger")
    assert "rolled back challenger" in moved(alone, "challenger", "rollback")


@pytest.mark.parametrize(("now", "got"), [(None, "no version"), (2, "version 2")])
def test_a_move_says_what_programs_get_that_ask_for_its_alias(alone: Flask, now: int | None, got: str) -> None:
    steps = [Step("Check and publish the files", "running")]
    move = Progress("serious", "Serious?", 3, "challenger", steps, None, False, now)
    with alone.test_request_context():
        template = alone.jinja_env.get_template("move.html")
        modules = {key: alone.jinja_env.get_template(f"_{file}.html").module for key, file in NAMES.items()}
        page = "".join(template.blocks["main"](template.new_context({"move": move, "job": "1", **modules})))
    text = " ".join(re.sub(r"<[^>]+>", "", page).split())
    assert f"Programs that ask for serious@challenger get {got} until this is done." in text
    assert "into use" not in text


def test_a_cluster_that_was_not_described_is_not_said_to_have_no_words(alone: Flask) -> None:
    idle = SimpleNamespace(waits=False)
    told = SimpleNamespace(at=None, job=idle, held_back=(), words=())
    found = SimpleNamespace(
        described=told, known=["80 % are dark."], near_named="", job=idle, edge=(), random=(), performed=None, near=(),
        other=None, inside=None, loose=False, core=(), origin=None,
    )  # fmt: skip
    one, row = SimpleNamespace(name="Night", number=1, size=9, stability=None, note=""), MagicMock(within_id=None)
    values = {"found": found, "one": one, "row": row, "called": "Night", "e": MagicMock(), "m": MagicMock()}
    with alone.test_request_context():
        template = alone.jinja_env.get_template("cluster.html")
        macro = re.search(r"{% macro known.*?{% endmacro %}", (TEMPLATES / "cluster.html").read_text(), re.DOTALL)
        assert macro is not None
        values["known"] = vars(alone.jinja_env.from_string(macro[0]).module)["known"]
        values |= {"g": SimpleNamespace(viewer=SimpleNamespace(manages=False)), "csrf_token": str, "kind": "cluster"}
        page = "".join(template.blocks["main"](template.new_context(values)))
    assert "has not looked for words for these images yet" in page
    assert "share nothing" not in page
