"""Sentences of the templates, rendered alone: without records, services or requests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from attune.labeler.explore.pool_scores import RankedRight
from attune.labeler.web import filters

TEMPLATES = Path(filters.__file__).parent / "templates"
TWO, THREE = ("serious", "other"), ("serious", "cheerful", "neither")
UNEQUAL, EVEN = RankedRight(60, 20, 18, 6.4, 0.22, 0.14, 0.31), RankedRight(60, 20, 18, 6.4, 0.22, 0.14, 0.31, True)


@pytest.fixture(scope="module")
def alone() -> Flask:
    app = Flask("alone", template_folder=str(TEMPLATES))
    filters.init_app(app)
    app.jinja_env.globals.update(word=lambda word, text="": text or word)
    return app


def said(app: Flask, source: str, **values: object) -> str:
    with app.test_request_context():
        head = '{% import "_macros.html" as m with context %}{% import "_ranked.html" as ranked with context %}'
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
