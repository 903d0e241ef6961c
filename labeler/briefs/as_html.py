"""A brief as one HTML file that holds its pictures: it can be mailed, opened and printed anywhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from attune.labeler.briefs.brief import Brief, Shown
from attune.labeler.insights.words import EXAMPLES, GRADES
from attune.models.text import number

HERE = Path(__file__).parent


def as_html(brief: Brief, pictures: Mapping[str, bytes]) -> bytes:
    """The file; ``pictures`` are JPEGs by asset id."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True)
    environment.filters.update(named=named, captioned=captioned, number=number)
    inside = {name: b64encode(content).decode() for name, content in pictures.items()}
    page = environment.get_template("page.html")
    return page.render(brief=brief, pictures=inside, grades=list(GRADES.items()), examples=EXAMPLES).encode()


def named(asset_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Images without words below them."""
    return [(name, "") for name in asset_ids]


def captioned(shown: Sequence[Shown]) -> list[tuple[str, str]]:
    """Images of other titles, with how often each was taken."""
    return [(one.asset_id, one.said) for one in shown]
