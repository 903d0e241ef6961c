"""A title's page, and its brief as a file."""

from __future__ import annotations

import re

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.briefs import files
from attune.labeler.insights.amounts import unbroken_page
from attune.labeler.views.title import MOST_FOUND, title_page, titles_like
from attune.labeler.web import auth
from attune.models.errors import UnknownAsset

blueprint = Blueprint("titles", __name__, url_prefix="/titles")
LONGEST = 255  # of a title's id


@blueprint.get("")
def page() -> ResponseReturnValue:
    """What the artwork of ``title`` covers, and what it could have; ids may hold any sign, so it is no path."""
    try:
        found = title_page(auth.settings(), auth.viewer(), _asked())
    except UnknownAsset as error:
        titles = titles_like(auth.settings(), auth.viewer(), _asked()) if _asked() else []
        if not titles:
            raise UnknownAsset(
                f"No title of the pool has {_asked()[:80]!r} in its name or id. Write a part of its name, or open the "
                "title from an insight."
            ) from error
        if len(titles) == 1:
            return redirect(url_for("titles.page", title=titles[0].title_id))
        return render_template("titles_found.html", titles=titles, asked=_asked(), most=MOST_FOUND)
    return unbroken_page(render_template("title.html", found=found, brief=found.brief))


@blueprint.get("/brief")
def brief() -> ResponseReturnValue:
    """The brief of ``title`` as a file ``to``: pdf or html."""
    kind = request.args.get("to", "pdf")
    made, content = files.written(auth.settings(), _asked(), kind, auth.viewer())
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", made.title_id).strip("-.")[:60] or "title"
    response = Response(content, mimetype=files.KINDS[kind].partition(";")[0])
    response.headers["Content-Disposition"] = f'attachment; filename="brief-{name}.{kind}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _asked() -> str:
    return request.args.get("title", "").strip()[:LONGEST]
