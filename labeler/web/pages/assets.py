"""The pool."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.assets import uploads
from attune.labeler.assets.unpack import TABLES
from attune.labeler.views.assets import assets
from attune.labeler.views.uploads import latest
from attune.labeler.web import auth
from attune.labeler.web.sizes import PIECE_BYTES
from attune.models.images.decode import IMAGE_SUFFIXES, MAX_BYTES

blueprint = Blueprint("assets", __name__)


@blueprint.get("/assets")
def page() -> ResponseReturnValue:
    """Pictures of the pool, searched by id or title."""
    query = request.args.get("q", "").strip()[:200]
    number = request.args.get("page", 1, int)
    settings, viewer = auth.settings(), auth.viewer()
    bring = {
        "images": sorted(IMAGE_SUFFIXES),
        "tables": sorted(TABLES),
        "piece": PIECE_BYTES,
        "mostFiles": uploads.MOST_FILES,
        "mostBytes": uploads.MOST_BYTES,
        "imageBytes": MAX_BYTES,
    }
    grid = assets(settings, viewer, query, number)
    return render_template("assets.html", grid=grid, bring=bring, sent=latest(settings, viewer))
