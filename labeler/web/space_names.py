"""What a space is called on a page: of a layer also whether it is early or late, for its number alone says nothing."""

from __future__ import annotations

from flask import Flask, g

from attune.labeler.records.session import reading
from attune.labeler.spaces import spaces
from attune.labeler.views.explore_spaces import title
from attune.labeler.web import auth


def space_title(name: str) -> str:
    """A space's name as a heading; the layers that there are, are read once a request."""
    if spaces.layer_index(name) is None:
        return title(name)
    if "layers" not in g:
        with reading(auth.settings()) as session:
            g.layers = spaces.layers(session)
    return title(name, g.layers)


def init_app(app: Flask) -> None:
    """Let templates use ``space_title``."""
    app.jinja_env.globals.update(space_title=space_title)
