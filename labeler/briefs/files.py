"""A brief as a file, PDF or HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attune.labeler.briefs.brief import Brief, brief
from attune.labeler.briefs.pictures import small_pictures
from attune.labeler.people.viewer import Viewer
from attune.labeler.settings import Settings
from attune.models.errors import DataError

KINDS = {"pdf": "application/pdf", "html": "text/html; charset=utf-8"}


def check_kind(kind: str) -> None:
    """Raise DataError for another kind of file."""
    if kind not in KINDS:
        raise DataError(f"A brief is a .pdf or .html file, not {('.' + kind)[:20]!r}. For example: --to brief.pdf")


def written(settings: Settings, title: str, kind: str, viewer: Viewer | None = None) -> tuple[Brief, bytes]:
    """The brief of ``title``, and its file of ``kind``: pdf or html; ``viewer`` as in `brief`.

    Raises DataError for another kind, UnknownAsset where no image of the title is in the pool.
    """
    check_kind(kind)
    made = brief(settings, title, viewer)
    pictures = small_pictures(settings, made.asset_ids())
    return made, _renderer(kind)(made, pictures)


def _renderer(kind: str) -> Callable[[Brief, Mapping[str, bytes]], bytes]:
    if kind == "html":
        from attune.labeler.briefs.as_html import as_html

        return as_html
    from attune.labeler.briefs.as_pdf import as_pdf

    return as_pdf
