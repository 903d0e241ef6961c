"""Model cards as HTML: CommonMark with tables, no raw HTML, headings below the page's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import takewhile

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

PAIR = 2  # columns that fit a narrow screen side by side
BELOW = 1  # the card's first heading is the page's own title: its sections come right under it
_JOINT = re.compile(r"(?<=[_:/])(?=[^\s_:/])")  # where a long name may break
_READER = MarkdownIt("commonmark", {"html": False}).enable("table")


def render(text: str) -> Markup:
    """``text`` as HTML that holds nothing but what CommonMark and tables make of it."""
    tokens = _READER.parse(text)
    if len(tokens) > 3 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for i, token in enumerate(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + BELOW, 6)}"
        elif token.type == "table_open":
            head = takewhile(lambda one: one.type != "thead_close", tokens[i:])
            columns = sum(one.type == "th_open" for one in head)
            token.attrSet("class", "table pairs-table" if columns == PAIR else "table stacked figures-table")
    wrapped = [part for token in _labelled(tokens) for part in _wrapped(token)]
    return Markup(_READER.renderer.render(wrapped, _READER.options, {}))


def _wrapped(token: Token) -> list[Token]:
    """A wide table scrolls by itself, by keyboard too, so that the page need not."""
    if token.type == "table_open":
        return [Token("html_block", "", 0, content='<div class="scroll" tabindex="0">\n'), token]
    if token.type == "table_close":
        return [token, Token("html_block", "", 0, content="</div>\n")]
    return [token]


def _labelled(tokens: Sequence[Token]) -> Iterator[Token]:
    """Each cell as one element that knows its column's title, so that a narrow screen can stack a row."""
    titles: list[str] = []
    at = 0
    for before, token in zip([None, *tokens], tokens, strict=False):
        opened = "" if before is None else before.type
        if token.type == "thead_open":
            titles = []
        elif token.type == "tr_open":
            at = 0
        elif token.type == "td_open" and at < len(titles):
            token.attrSet("data-label", titles[at])
            at += 1
        elif token.type == "inline" and opened == "th_open":
            titles.append(token.content)
        elif token.type == "inline" and opened == "td_open":
            token.children = [
                _raw("<span>"),
                *(part for child in token.children or () for part in _broken(child)),
                _raw("</span>"),
            ]
        yield token


def _broken(token: Token) -> list[Token]:
    if token.type != "text":
        return [token]
    return [_raw("<wbr>".join(escape(part) for part in _JOINT.split(token.content)))]


def _raw(html: str) -> Token:
    return Token("html_inline", "", 0, content=html)
