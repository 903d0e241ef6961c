"""What docs/ says straight from the code: ``python -m tests.project.reference`` writes it.

``PAGES`` are paths below docs/ -> what makes the text. ``make docs`` writes them all, and a test fails where one is
stale.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.project.reference import commands, errors, formats, house, http_api, jobs, python_api, settings

DOCS = Path(__file__).parents[3] / "docs"
COMMAND = "make docs"
HEAD = "<!-- Made from the code by `make docs`. Change the code, not this page. -->\n\n"
PAGES: dict[str, Callable[[], str]] = {
    "images/house.svg": house.picture,
    "reference/commands.md": commands.page,
    "reference/errors.md": errors.page,
    "reference/file-formats.md": formats.page,
    "reference/http-api.md": http_api.page,
    "reference/jobs.md": jobs.page,
    "reference/python.md": python_api.page,
    "reference/settings.md": settings.page,
}


def text_of(name: str) -> str:
    """The whole text of the generated page ``name``. Raises KeyError for a page that is written by hand."""
    return (HEAD if name.endswith(".md") else "") + PAGES[name]().rstrip("\n") + "\n"
