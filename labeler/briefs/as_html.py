"""A brief as one HTML file that holds its pictures: it can be mailed, opened and printed anywhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from attune.labeler.briefs.brief import Brief
from attune.labeler.briefs.line import Shown
from attune.labeler.briefs.order import ORDER, TESTS
from attune.labeler.insights.amounts import unbroken_page
from attune.labeler.insights.words import EXAMPLES, GRADES
from attune.models.text import number

HERE = Path(__file__).parent


def as_html(brief: Brief, pictures: Mapping[str, bytes]) -> bytes:
    """The file; ``pictures`` are JPEGs by asset id."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True)
    environment.filters["number"] = number
    inside = {name: b64encode(content).decode() for name, content in pictures.items()}
    page = environment.get_template("page.html")
    told = {"grades": list(GRADES.items()), "examples": EXAMPLES, "order": ORDER, "tests": TESTS}
    return unbroken_page(page.render(brief=brief, captions=Captions(brief), pictures=inside, **told)).encode()


@dataclass(frozen=True)
class Caption:
    """What stands below an image: the ``film`` where it is another's, its id, and what is ``said`` of it."""

    asset_id: str
    film: str = ""
    said: str = ""

    @property
    def under(self) -> list[str]:
        """What stands below the film."""
        return [one for one in (self.asset_id, self.said) if one]


@dataclass(frozen=True)
class Captions:
    """The captions of the images of ``brief``."""

    brief: Brief

    def now(self) -> list[Caption]:
        """Its own images, each with how it did."""
        return [Caption(one.asset_id, said=self.brief.own.said(one.asset_id)) for one in self.brief.images]

    def named(self, asset_ids: Sequence[str]) -> list[Caption]:
        """Images of the title itself."""
        return [Caption(name) for name in asset_ids]

    def elsewhere(self, asset_ids: Sequence[str]) -> list[Caption]:
        """Images of other titles."""
        return [Caption(name, self.brief.films.get(name, "")) for name in asset_ids]

    def taken(self, shown: Sequence[Shown]) -> list[Caption]:
        """Images of other titles, with how often each was taken; by the title's id where it has no name here."""
        films = self.brief.films
        return [Caption(one.asset_id, films.get(one.asset_id, one.title_id), one.said) for one in shown]
