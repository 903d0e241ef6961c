"""Label Studio's hint that someone answered: its secret is checked, and its project is read soon."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from attune.labeler.answers import hints
from attune.labeler.label_studio.webhooks import SECRET_HEADER
from attune.labeler.web import auth
from attune.models.errors import BadWebhookSecret

blueprint = Blueprint("webhook", __name__)
MOST_BYTES = 64_000
LARGEST_ID = 2**31 - 1


@blueprint.post("/webhooks/label-studio", defaults={"name": ""})
@blueprint.post("/webhooks/label-studio/<name>")
def label_studio(name: str) -> ResponseReturnValue:
    """Answer 202, and whether a reading was asked for; 403 without the secret, 413 beyond 64 kB.

    The annotator's click waits for this answer (at most a second), and Label Studio sends nothing twice. Of a body only
    the project's number is read, and only where the address has no name, as before projects were named there.
    """
    secret = current_app.extensions["attune"].secrets.hint_secret
    if not hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), secret.encode()):
        raise BadWebhookSecret(f"A webhook came without the right {SECRET_HEADER}.")
    request.max_content_length = MOST_BYTES
    return jsonify(asked=hints.ask(auth.settings(), name, None if name else _project())), 202


def _project() -> int | None:
    """The project's number in Label Studio, as the body says it; None where it says none."""
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):  # the latter for lists in lists in lists
        return None
    project = body.get("project") if isinstance(body, Mapping) else None
    number = project.get("id") if isinstance(project, Mapping) else project
    return number if type(number) is int and 0 < number <= LARGEST_ID else None
