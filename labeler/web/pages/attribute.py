"""One attribute: its tabs, what updates by itself, and the longer lists."""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Expert
from attune.labeler.records.session import reading
from attune.labeler.views import attribute_page, attribute_tabs
from attune.labeler.views.disagreements import disputed_images
from attune.labeler.views.drift import drift
from attune.labeler.views.recent import recent
from attune.labeler.views.threads import agreed
from attune.labeler.web import auth
from attune.labeler.web.svg.drift_histograms import histograms

blueprint = Blueprint("attribute", __name__, url_prefix="/attributes/<name>")


@blueprint.get("")
def page(name: str) -> ResponseReturnValue:
    """The question, what is to be answered, and what was."""
    tab = attribute_tabs.label_tab(auth.settings(), auth.viewer(), name)
    return render_template("attribute.html", page=tab, head=tab.head)


@blueprint.get("/versions")
def versions(name: str) -> ResponseReturnValue:
    """What is published, whether its scores drift, and who moved it."""
    tab = attribute_tabs.versions_tab(auth.settings(), auth.viewer(), name)
    moved = drift(auth.settings(), name)
    return render_template(
        "attribute_versions.html", page=tab, head=tab.head, drift=moved,
        drift_chart=histograms(moved.shifts if moved else ()),
    )  # fmt: skip


@blueprint.get("/manage")
def manage(name: str) -> ResponseReturnValue:
    """Audits, the decision threshold, experts and their queues."""
    tab = attribute_tabs.manage_tab(auth.settings(), auth.viewer(), name)
    return render_template("attribute_manage.html", page=tab, head=tab.head)


@blueprint.get("/live")
def live(name: str) -> ResponseReturnValue:
    """The counts as JSON, asked for every few seconds while the page is open."""
    return jsonify(attribute_page.live(auth.settings(), auth.viewer(), name).to_dict())


@blueprint.get("/answers")
def answers(name: str) -> ResponseReturnValue:
    """All of one's own answers, a page at a time; for those who manage everyone's, or one expert's."""
    expert = request.args.get("expert", None, int)
    with reading(auth.settings()) as session:
        one = attributes.find(session, name)
        number = request.args.get("page", 1, int)
        answer_page = recent(session, auth.viewer(), one.id, number, size=24, expert=expert)
        who = session.get(Expert, expert) if expert is not None and auth.viewer().manages else None
    return render_template(
        "answers.html", name=name, question=one.question, classes=one.classes, found=answer_page, who=who
    )


@blueprint.get("/contested")
def disputed_page(name: str) -> ResponseReturnValue:
    """All images that experts answered differently, a page at a time, and those that they agreed about since."""
    with reading(auth.settings()) as session:
        one = attributes.find(session, name)
        number = request.args.get("page", 1, int)
        asset_page = disputed_images(session, auth.viewer(), one.id, one.classes, number, size=12)
        settled = agreed(session, auth.viewer(), one, request.args.get("agreed", 1, int))
    return render_template(
        "disputed.html", name=name, question=one.question, classes=one.classes, found=asset_page, settled=settled
    )
