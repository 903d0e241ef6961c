"""Insights, as the API answers them: owners and admins get all, pipelines what is published."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Annotated, Any, TypedDict

import pyarrow as pa
import pyarrow.parquet as pq
from flask import Response, jsonify

from attune.labeler.insights import goes_with_kept, insights
from attune.labeler.insights.insights import Told
from attune.labeler.insights.people_asked import hidden_images
from attune.labeler.insights.told import as_json
from attune.labeler.web import auth
from attune.labeler.web.api.described import Query, error, json_answer, text
from attune.labeler.web.api.routes import get
from attune.models.errors import DataError

FOR = "For owners, admins and pipelines. Pipelines get published insights alone. Estimates are log rate ratios."
PARQUET = "application/vnd.apache.parquet"
BINARY = {"type": "string", "format": "binary"}
COLUMNS = (
    "id", "feature", "contrast", "canvas", "estimate", "se", "low", "high", "any_time_low", "any_time_high", "q",
    "grade", "titles", "assets", "impressions", "share_other_way", "shrunk", "sentence", "state", "version", "stale",
    "simulated", "digest",
)  # fmt: skip


class InsightOut(TypedDict):
    """The newest answer to a frozen question; for pipelines the published one."""

    id: int
    feature: str
    means: Annotated[str, "What the feature means, in a sentence; empty where nobody said so."]
    contrast: Annotated[str, "Two classes, FIRST:SECOND; or per sd: of a number, by one step, its unit."]
    canvas: Annotated[str | None, "null: all canvases together."]
    estimate: Annotated[float | None, "The raw log rate ratio; null where there is not enough data."]
    se: float | None
    ci: Annotated[list[float] | None, "95 %."]
    p: float | None
    q: Annotated[float | None, "False discovery rate over the run, of the p values at any time."]
    any_time: Annotated[dict[str, Any] | None, "p and ci that hold at all looks together; look: first or later."]
    titles: int | None
    assets: int | None
    impressions: int | None
    takes: float | None
    share_other_way: Annotated[float | None, "Share of titles where it goes the other way; null across titles."]
    tau: float | None
    grade: Annotated[str | None, "A to D."]
    grade_reason: Annotated[str, "Why it has this grade."]
    corrected: Annotated[dict[str, Any] | None, "Corrected for the probe's or detector's errors by audits."]
    uncorrected: dict[str, Any] | None
    shrunk: Annotated[dict[str, Any] | None, "The headline: estimate and se."]
    naive: Annotated[float | None, "All takes over all impressions. It mixes titles: never use it."]
    enough: Annotated[bool, "Whether there is a figure with a q of at most largest_q, and it is not exploratory."]
    largest_q: Annotated[float, "The run's --q, at most 0.1."]
    exploratory: Annotated[bool, "Asked after figures of it could be seen: confirm it with new performance."]
    sentence: str
    what_to_do: Annotated[str, "In one line, by its grade and its state."]
    why: Annotated[str, "Why there is no figure."]
    caution: Annotated[str, "What nobody knows of it, such as the errors of a detector that people have not checked."]
    unchecked: Annotated[str, "That nobody has checked the feature's values here; empty where people have."]
    state: Annotated[str, "proposed, published or retired."]
    version: int
    published_version: int | None
    published: Annotated[dict[str, Any] | None, "The published version, where this is a newer one."]
    stale: Annotated[bool, "Whether performance, the feature or Attune's method changed since."]
    simulated: Annotated[bool, "Whether performance behind it was made up: nobody measured it."]
    moved: list[str]
    digest: str
    titles_asked: Annotated[str, "all, or confirmation: the half that did not find it."]
    origin: Annotated[str, "person, import or discovery."]
    asked_by: str
    asked_at: datetime
    made_at: datetime
    inputs: Annotated[list[dict[str, Any]], "Versions and digests that it was made of."]


class Insights(TypedDict):
    """All insights, the surest first."""

    insights: list[InsightOut]


class InsightWhole(InsightOut):
    """An insight with its evidence."""

    canvases: Annotated[list[dict[str, Any]], "Exploratory: raw figures without q, and shrunk. Never published alone."]
    depends: Annotated[list[dict[str, Any]], "Whether it depends on another feature; q is of these alone."]
    holding: Annotated[list[dict[str, Any]], "The effect alone, and with another feature held the same. Without q."]
    halves: dict[str, Any]
    examples: Annotated[dict[str, Any] | None, "Pairs of images, less those that wait for the caller's own answer."]
    ratio: dict[str, Any] | None
    e_value: dict[str, Any] | None
    robustness_value: float | None
    unit: Annotated[float | None, "The step of a number: one standard deviation over all images."]
    rate: Annotated[float | None, "Takes per impression."]
    random: bool
    within: bool


class GoesWithOut(TypedDict):
    """What goes with takes across titles, as it was learned last; shares of what is predicted of other titles."""

    grade: Annotated[str, "D: it predicts, and does not say why."]
    method: Annotated[int, "Of the figures: where Attune has a newer one, they are stale."]
    titles: int
    all_titles: Annotated[int, "Of so many titles, those were drawn."]
    images: int
    explains: Annotated[dict[str, Any], "What all features predict together, by model: mean, low and high."]
    features: Annotated[
        list[dict[str, Any]],
        "What each adds, by model; its sides with the log of takes beside an average image; and examples, less those "
        "that wait for the caller's own answer.",
    ]
    values: Annotated[dict[str, str], "A digest of the values of each feature."]
    uncorrected: Annotated[list[str], "Features whose errors are not corrected here."]
    left_out: Annotated[list[str], "Features with one value or none on these images."]
    performance: Annotated[list[str], "Digests of the imports."]
    simulated: bool
    seed: int
    made_at: datetime
    stale: Annotated[bool, "Whether the performance, a feature or Attune's method changed since."]


@get(
    "/insights/goes-with",
    "Get what goes with takes",
    {200: json_answer("What was learned last.", GoesWithOut), 404: error("Nothing was learned yet.")},
    about="For owners and admins. Nobody stands for it: use it to find what to ask.",
)
def what_goes_with() -> Response:
    """What was learned last."""
    return jsonify(goes_with_kept.as_json(auth.settings(), auth.viewer()))


def _largest(sent: str | None) -> float | None:
    try:
        value = None if sent is None else float(sent)
    except ValueError:
        value = -1.0
    if value is not None and not 0 <= value <= 1:
        raise DataError(f"q: {str(sent)[:40]!r} is not a number from 0 to 1. Leave it out to get all insights.")
    return value


FILTERS = (
    text("canvas", "Of one canvas alone."),
    text("grade", "A, B, C or D."),
    Query("q", "With a q of at most this.", {"type": "number", "minimum": 0, "maximum": 1}, _largest),
)
ANSWERS = {422: error("q is not a number from 0 to 1.")}


@get(
    "/insights", "List the insights", {200: json_answer("The insights.", Insights)} | ANSWERS, query=FILTERS, about=FOR
)
def list_insights(canvas: str, grade: str, q: float | None) -> Response:
    """The insights that the caller may read."""
    return jsonify({"insights": [as_json(one) for one in _readable(canvas, grade, q)]})


@get(
    "/insights/<insight>",
    "Get an insight with its evidence",
    {200: json_answer("The insight.", InsightWhole), 404: error("The insight does not exist, or is not published.")},
    about=FOR,
)
def one_insight(insight: str) -> Response:
    """One insight."""
    number = int(insight) if insight.isascii() and insight.isdecimal() and len(insight) <= 9 else 0
    settings, viewer = auth.settings(), auth.viewer()
    one = insights.find(settings, number, published=not viewer.manages)
    hidden = hidden_images(settings, viewer, one.question.feature)
    return jsonify(as_json(one, whole=True, hidden=hidden))


@get(
    "/insights.parquet",
    "Get the insights as Parquet",
    {200: {"description": "One row for each insight.", "content": {PARQUET: {"schema": BINARY}}}}
    | ANSWERS,
    query=FILTERS,
    about=FOR,
)  # fmt: skip
def insights_file(canvas: str, grade: str, q: float | None) -> Response:
    """The insights as a table."""
    rows = [as_json(one) for one in _readable(canvas, grade, q)]
    for row in rows:
        row["low"], row["high"] = row["ci"] or (None, None)
        row["any_time_low"], row["any_time_high"] = (row["any_time"] or {}).get("ci") or (None, None)
        row["shrunk"] = row["shrunk"]["estimate"] if row["shrunk"] else None
    numbers = {"estimate", "se", "low", "high", "any_time_low", "any_time_high", "q", "share_other_way", "shrunk"}
    whole = {"id", "titles", "assets", "impressions", "version"}
    kinds = {
        name: pa.float64() if name in numbers else pa.int64() if name in whole else pa.string() for name in COLUMNS
    }
    schema = pa.schema([(name, pa.bool_() if name in {"stale", "simulated"} else kinds[name]) for name in COLUMNS])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{name: row[name] for name in COLUMNS} for row in rows], schema), sink)
    return Response(sink.getvalue(), mimetype=PARQUET)


def _readable(canvas: str, grade: str, q: float | None) -> list[Told]:
    return insights.listed(auth.settings(), canvas, grade, q, published=not auth.viewer().manages)
