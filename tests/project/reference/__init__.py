"""docs/reference, as far as the code says it: ``python -m tests.project.reference`` writes the pages.

``PAGES`` are file name -> what its text is made by. ``make docs`` writes them all, and a test fails where one is
stale.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.project.reference import commands, errors, formats, http_api, jobs, python_api, settings

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
COMMAND = "make docs"
HEAD = "<!-- Made from the code by `make docs`. Change the code, not this page. -->\n\n"
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "errors.md": errors.page,
    "file-formats.md": formats.page,
    "http-api.md": http_api.page,
    "jobs.md": jobs.page,
    "python.md": python_api.page,
    "settings.md": settings.page,
}


def text_of(name: str) -> str:
    """The whole text of the generated page ``name``. Raises KeyError for a page that is written by hand."""
    return HEAD + PAGES[name]().rstrip("\n") + "\n"
