"""Label Studio's hint that somebody answered: checked, stored, and a learning round asked for."""

from __future__ import annotations

import hmac

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from labeler import hints
from labeler.web import auth
from models.errors import BadWebhookSecret, UnknownAnnotationShape

blueprint = Blueprint("webhook", __name__)
HEADER = "X-Attune-Secret"
MOST_BYTES = 4_000_000


@blueprint.post("/webhooks/label-studio")
def label_studio() -> ResponseReturnValue:
    """Answer 200 with what was done, 403 without the secret, 413 beyond 4 MB, 422 for a body that is no webhook's.

    The annotator's click waits for this answer (at most a second), and Label Studio sends nothing twice.
    """
    secret = current_app.extensions["attune"].secrets.webhook_secret
    if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), secret.encode()):
        raise BadWebhookSecret(f"A webhook came without the right {HEADER}.")
    request.max_content_length = MOST_BYTES
    return jsonify(hints.from_webhook(auth.settings(), _payload()))


def _payload() -> dict[str, object]:
    try:
        payload = request.get_json(force=True)
    except BadRequest as error:
        raise UnknownAnnotationShape("The webhook's body is no JSON; expected Label Studio's object.") from error
    if not isinstance(payload, dict):
        raise UnknownAnnotationShape(
            f"The webhook's body is a JSON {type(payload).__name__}; expected Label Studio's object with `action`."
        )
    return payload
