"""Model cards as HTML: CommonMark with tables, no raw HTML, headings below the page's own."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

BELOW = 1  # the card's first heading is the page's own title: its sections come right under it
_READER = MarkdownIt("commonmark", {"html": False}).enable("table")


def render(text: str) -> Markup:
    """``text`` as HTML that holds nothing but what CommonMark and tables make of it."""
    tokens = _READER.parse(text)
    if len(tokens) > 3 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + BELOW, 6)}"
        elif token.type == "table_open":
            token.attrSet("class", "table")
    wrapped = [part for token in tokens for part in _wrapped(token)]
    return Markup(_READER.renderer.render(wrapped, _READER.options, {}))


def _wrapped(token: Token) -> list[Token]:
    """A wide table scrolls by itself, by keyboard too, so that the page need not."""
    if token.type == "table_open":
        return [Token("html_block", "", 0, content='<div class="scroll" tabindex="0">\n'), token]
    if token.type == "table_close":
        return [token, Token("html_block", "", 0, content="</div>\n")]
    return [token]
