"""Each language of the labelling pages says all that the code says, and what is compiled is what was translated."""

from __future__ import annotations

import io

import pytest
from babel.messages.mofile import read_mo

from attune.labeler.web import languages
from tests.project import translations

CODES = [code for code in languages.languages() if code != languages.SOURCE]


def test_german_is_there() -> None:
    assert next(iter(languages.languages())) == "en"
    assert languages.languages()["de"] == "Deutsch"


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_translated_and_none_is_of_before(code: str) -> None:
    catalog = translations.read(code)
    told = translations.sentences(translations.template())
    assert len(told) > 100
    assert translations.sentences(catalog).keys() == told.keys(), "run `make translations`"
    assert translations.missing(catalog) == []
    assert translations.mistakes(catalog) == []


@pytest.mark.parametrize("code", CODES)
def test_what_is_compiled_is_what_was_translated(code: str) -> None:
    compiled = read_mo(io.BytesIO(translations.source(code).with_suffix(".mo").read_bytes()))
    assert translations.sentences(compiled) == translations.sentences(translations.read(code)), (
        "run `make translations`"
    )


def test_a_changed_sentence_is_named_until_it_is_translated() -> None:
    catalog = translations.read("de")
    catalog.add("A new sentence.")
    catalog.add(("%(count)s page", "%(count)s pages"), ("%(count)s Seite", ""))
    catalog.add("Hello %(name)s", "Hallo %(nmae)s", flags=["python-format"])
    assert translations.missing(catalog) == ["A new sentence.", str(("%(count)s page", "%(count)s pages"))]
    assert len(translations.mistakes(catalog)) == 1
