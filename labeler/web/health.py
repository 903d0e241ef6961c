"""Whether the console is alive, and whether the parts it needs answer: up or not, no detail."""

from __future__ import annotations

import logging

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web import auth

log = logging.getLogger("attune.web")
blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="up")


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """The records and Redis answer too; what is wrong is in the log, and `attune doctor` tells it."""
    if up(auth.settings()):
        return jsonify(status="up")
    return jsonify(status="down"), 503


def up(settings: Settings) -> bool:
    """Whether the records and Redis answer."""
    try:
        with reading(settings) as session:
            session.execute(select(1))
        return bool(jobs.connect(settings).ping())
    except (SQLAlchemyError, RedisError) as error:
        log.warning("not ready: %s", error)
        return False
