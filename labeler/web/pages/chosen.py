"""Where the answers to chosen images go, from Explore and from the galleries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from attune.labeler.labelling import own_queue, take_chosen
from attune.labeler.labelling.take_chosen import Chosen
from attune.labeler.web import auth, sent_answers

blueprint = Blueprint("chosen", __name__, url_prefix="/attributes/<name>/chosen")
MOST_IDS = 2000  # a longer list is no choice of a person's


@blueprint.post("/answers")
def answers(name: str) -> ResponseReturnValue:
    """Take batches of chosen images, each with one answer, or take batches back; say of each what became of it."""
    own_queue.check(auth.settings(), auth.viewer(), name)
    given, revision = sent_answers.read(request.get_json(silent=True), _batch)
    done = take_chosen.take(auth.settings(), auth.viewer(), name, revision, given)
    return jsonify(answers={once: asdict(one) for once, one in done.items()})


def _batch(row: Mapping[str, Any]) -> Chosen:
    ids = row.get("images", [])
    if not isinstance(ids, list) or len(ids) > MOST_IDS:
        raise ValueError(ids)
    once, batch, undo = UUID(row["once"]), UUID(row["key"]), bool(row.get("undo"))
    return Chosen(once, batch, str(row.get("value", "")), [str(one) for one in ids], undo, sent_answers.age(row))
