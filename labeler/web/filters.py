"""Small words for the templates: times, numbers, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Flask

from attune.labeler.briefs.order import ORDER
from attune.labeler.insights.words import EXAMPLE, EXAMPLES, NO_PROOF
from attune.labeler.views.pictures import PageImage
from attune.labeler.views.quality import figure
from attune.labeler.web import media
from attune.labeler.web.markdown import render as markdown
from attune.labeler.web.sizes import IMAGE_BYTES, LABELS_BYTES, megabytes
from attune.models.clock import iso, now
from attune.models.labels.answers import UNSURE
from attune.models.labels.class_coverage import quoted_list
from attune.models.text import counted, number, spaced

COLOURS = 9  # classes have hotkeys 1 to 9, so there are never more


def init_app(app: Flask) -> None:
    """Make the words known to every template."""
    app.jinja_env.filters.update(ago=ago, moment=moment, iso=iso, number=number, figure=figure, duration=duration)
    app.jinja_env.filters.update(markdown=markdown, signed=signed, counted=counted, listed=quoted_list, spaced=spaced)
    app.jinja_env.globals.update(colour=colour, segments=segments, image_address=image_address, thumbnail=thumbnail)
    app.jinja_env.globals.update(largest_image=megabytes(IMAGE_BYTES), largest_labels=megabytes(LABELS_BYTES))
    app.jinja_env.globals.update(
        clearest_pair=EXAMPLE, clearest_pairs=EXAMPLES, evidence_order=ORDER, no_proof=NO_PROOF
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def ago(at: datetime) -> str:
    """How long ago, in a word or two; a date beyond a week."""
    seconds = max(0.0, (now() - at).total_seconds())
    for size, unit in ((60, "s"), (3600, "min"), (86400, "h"), (7 * 86400, "d")):
        if seconds < size:
            step = {"s": 1, "min": 60, "h": 3600, "d": 86400}[unit]
            return "just now" if unit == "s" else f"{int(seconds // step)} {unit} ago"
    return f"{at.day} {at:%b %Y}"


def moment(at: datetime) -> str:
    """A time in full, UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign, and a zero without."""
    text = f"{value:+.{digits}f}".replace("-", "\u2212")
    return text if any(digit in "123456789" for digit in text) else text[1:]


def duration(seconds: float | None) -> str:
    """Seconds as people say them."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def colour(value: str, classes: Sequence[str]) -> str:
    """The colour class of an answer: by its place among the classes; grey for unsure and skips."""
    return f"c{list(classes).index(value) % COLOURS}" if value in classes and value != UNSURE else "c-none"


def segments(by_value: dict[str, int], classes: Sequence[str]) -> list[dict[str, Any]]:
    """The parts of a stacked bar, in percent from the left."""
    total, at, parts = sum(by_value.values()), 0.0, []
    for value, count in by_value.items():
        width = 100 * count / total if total else 0.0
        parts.append(
            {
                "value": value,
                "count": count,
                "x": round(at, 2),
                "width": round(width, 2),
                "colour": colour(value, classes),
            }
        )
        at += width
    return parts


def image_address(picture: PageImage) -> str:
    """The signed path of the whole image."""
    return media.path_of(picture.asset_id)


def thumbnail(picture: PageImage) -> str:
    """The signed path of a small version."""
    return media.path_of(picture.asset_id, small=True)
