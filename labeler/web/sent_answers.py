"""What a browser sends of answers, single ones and pages alike: a list of rows, and the revision that they answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask_babel import gettext
from werkzeug.exceptions import BadRequest

from attune.labeler.label_studio.answering import AT_ONCE

Row = TypeVar("Row")


def read(sent: Any, one: Callable[[Mapping[str, Any]], Row]) -> tuple[list[Row], int]:
    """The rows of ``sent``, each read by ``one``, and the revision. Raises BadRequest for any other form."""
    try:
        rows: list[Mapping[str, Any]] = sent["answers"]
        if not 0 < len(rows) <= AT_ONCE:
            raise ValueError(len(rows))
        return [one(row) for row in rows], int(sent["revision"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadRequest(gettext("The answers are not in the expected form. Load the page again.")) from error


def seconds(row: Mapping[str, Any]) -> float:
    """How long the person looked. Raises KeyError, TypeError, ValueError for no number, or one that is not finite."""
    return _finite(row["seconds"])


def more_seconds(row: Mapping[str, Any]) -> float:
    """How long the person looked again to correct what was not sent yet (default 0). Raises ValueError, TypeError."""
    return _finite(row.get("more", 0))


def age(row: Mapping[str, Any]) -> float:
    """Seconds since an answer was given, from its milliseconds ``age`` (default 0). Raises ValueError, TypeError."""
    return max(_finite(row.get("age", 0)), 0.0) / 1000


def _finite(sent: Any) -> float:
    value = float(sent)
    if not math.isfinite(value):
        raise ValueError(value)
    return value
