"""The words that pages explain: the glossary's text, once a page, and every button has something to open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attune.labeler.explore.pool_scores import RankedRight
from attune.labeler.records.schema import Attribute
from attune.labeler.settings import Settings
from attune.labeler.web.words import WORDS
from tests.labeler.web.conftest import Actor
from tests.support import factories, scored

GLOSSARY = Path(__file__).parents[3] / "docs" / "glossary.md"


@pytest.mark.parametrize("word", WORDS)
def test_a_page_explains_a_word_as_the_glossary_does(word: str) -> None:
    entry = next(line for line in GLOSSARY.read_text().splitlines() if line.startswith(f"- **{word}**: "))
    text = entry.removeprefix(f"- **{word}**: ").lower()
    for sentence in re.findall(r"[^.]+\.", WORDS[word].lower()):
        assert sentence.strip().rstrip(".") in text


def test_a_word_is_explained_where_it_stands_first_and_only_there(
    owner: Actor, settings: Settings, romance: Attribute
) -> None:
    ranked = {name: RankedRight(60, 20, 18, 6.4) for name in romance.classes}
    scored.leave(settings, romance, factories.add_assets(settings, 4), [0.9, 0.8, 0.2, 0.1], ranked=ranked)
    for path in ("/", "/attributes/romance/results", "/attributes/romance/manage"):
        page = owner.get(path).text
        buttons, texts = re.findall(r'popovertarget="([^"]+)"', page), re.findall(r'id="(word-[^"]+)" popover', page)
        assert buttons == texts
        assert "word-audit" in buttons
