"""What an image is called on a page: its title's name, or its id where there is none; one rule for all templates."""

from __future__ import annotations

from flask import Flask, g

from attune.labeler.views.pictures import PageImage


def title_name(picture: PageImage) -> str:
    """The name of the title, for those who manage; empty for experts: no column of the asset table is theirs to read,
    as it may hold earlier labels."""
    return picture.title_name if g.viewer.manages else ""


def called(picture: PageImage) -> str:
    """The image in plain text, as alternative texts and headings have it: ``Glass Harbour (t0004-3)``, or its id."""
    name = title_name(picture)
    return f"{name} ({picture.asset_id})" if name else picture.asset_id


def init_app(app: Flask) -> None:
    """Let templates use ``title_name`` and ``called``; the macro ``named`` writes them large and small."""
    app.jinja_env.globals.update(title_name=title_name, called=called)
