"""The read API of pipelines: manifests, files and feature values by name, with the caching that each may have."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request, send_file
from flask.typing import ResponseReturnValue

from attune.labeler.catalog import alias_history as past
from attune.labeler.catalog.listing import published
from attune.labeler.catalog.reading import Content, features_of, file_of, manifest_of
from attune.labeler.exchange import export_files
from attune.labeler.explore import search as searching
from attune.labeler.explore.search import Query
from attune.labeler.views import drift as drifting
from attune.labeler.views import notices as told
from attune.labeler.web import auth, openapi
from attune.labeler.web.pages.exchange import sent
from attune.models.catalog.manifest import CHAMPION, FILE_NAME, Reference, check_name, check_ref
from attune.models.clock import iso
from attune.models.errors import DataError, JobError

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
TYPES = {".json": "application/json", ".md": "text/markdown; charset=utf-8"}
LARGEST_PAGE = 500
SEARCH_SECONDS = 10.0


@blueprint.before_request
def one_range_or_all() -> None:
    """Take a Range only as RFC 9110 (14.2) lets us: of a GET, in bytes, one; whatever else is asked gets the whole."""
    requested_range = request.range
    if (
        request.method != "GET"
        or requested_range is None
        or requested_range.units != "bytes"
        or len(requested_range.ranges) != 1
    ):
        request.environ.pop("HTTP_RANGE", None)


@blueprint.get("/probes")
def probes() -> Response:
    """Every attribute with a published version: its aliases, versions and champion's average precision."""
    page = published(auth.settings(), _whole("page", 1), min(_whole("size", 100), LARGEST_PAGE))
    return jsonify(probes=list(page.items), page=page.number, pages=page.pages, total=page.total)


@blueprint.get("/probes/<name>/history")
def history(name: str) -> Response:
    """Who moved which alias when and why, newest first; with ``on``, what ``alias`` pointed at then."""
    attribute_name, settings = check_name(name), auth.settings()
    number, size = _whole("page", 1), min(_whole("size", 100), LARGEST_PAGE)
    alias = past.check_alias(request.args.get("alias", CHAMPION))
    if "on" in request.args:
        at = past.moment(request.args["on"])
        line = past.pointing_at(settings, attribute_name, at, alias)
        content = {"line": line.to_dict(), "version": line.version} if line else {"line": None, "version": None}
        return jsonify(attribute=attribute_name, alias=alias, on=iso(at), **content)
    page = past.page(settings, attribute_name, number, size)
    lines = [line.to_dict() for line in page.items]
    return jsonify(attribute=attribute_name, history=lines, page=page.number, pages=page.pages, total=page.total)


@blueprint.get("/probes/<name>/<ref>")
def manifest(name: str, ref: str) -> Response:
    """The manifest of the version that REF, a version or an alias, means."""
    reference = _reference(name, ref)
    return _bytes(reference, manifest_of(auth.settings(), reference), FILE_NAME)


@blueprint.get("/probes/<name>/<ref>/files/<file>")
def file(name: str, ref: str, file: str) -> Response:
    """One file of a version: probe.safetensors, probe.onnx, card.md or manifest.json."""
    reference = _reference(name, ref)
    return _bytes(reference, file_of(auth.settings(), reference, file), file)


@blueprint.get("/features/<name>/<ref>")
def features(name: str, ref: str) -> Response:
    """The feature values of a version over the whole pool, as Parquet."""
    feature_file = features_of(auth.settings(), _reference(name, ref))
    response = send_file(
        feature_file.path,
        mimetype="application/vnd.apache.parquet",
        download_name=f"{name}-{feature_file.version}.parquet",
        conditional=True,
        etag=feature_file.digest,
    )
    response.headers["Attune-Version"] = str(feature_file.version)
    response.headers["Cache-Control"] = ASK_AGAIN  # a version is for ever, but the pool that it scores grows
    return response


@blueprint.get("/drift/<name>")
def drift(name: str) -> Response:
    """How far the champion's scores have moved on the assets that came since publication."""
    return jsonify(drifting.to_dict(drifting.drift(auth.settings(), check_name(name))))


@blueprint.get("/notices")
def notices() -> Response:
    """What happened that the asker should know, newest first."""
    page = told.notices(auth.settings(), auth.viewer(), _whole("page", 1))
    rows = [one.to_dict() for one in page.items]
    return jsonify(notices=rows, page=page.number, pages=page.pages, total=page.total)


@blueprint.get("/labels/<name>")
def labels(name: str) -> Response:
    """An attribute's labels, for those who manage it: one row an answer, or an image with ``agreed``."""
    kind, agreed = request.args.get("format", export_files.CSV), request.args.get("agreed", "false")
    if agreed not in {"true", "false"}:
        raise DataError(f"agreed: {agreed[:40]!r} is neither true nor false. The default is false.")
    return sent(export_files.export(auth.settings(), check_name(name), kind, agreed == "true"))


@blueprint.get("/search")
def search() -> ResponseReturnValue:
    """Images of the pool most like an asset or a text; 202 while the workers have not found them yet."""
    fields = {"text": "q", "like": "like", "title": "title", "column": "column", "value": "value"}
    fields_given = {field: request.args.get(name, "").strip() for field, name in fields.items()}
    query = Query(**fields_given | ({"text": ""} if fields_given["like"] else {}))
    top, settings = min(_whole("top", 50), searching.TOP), auth.settings()
    if not query.ranks:
        names = searching.filtered_ids(settings, query, top)
        return jsonify(state="done", assets=[{"asset_id": name, "similarity": None} for name in names])
    result = searching.wait_for_result(settings, searching.start(settings, query), SEARCH_SECONDS)
    if result is None or result.waits:
        waiting = jsonify(state=result.state if result else "queued", assets=[])
        waiting.headers["Retry-After"] = "2"
        return waiting, 202
    if result.state != "done":
        raise JobError(f"The search failed: {result.error or 'the worker stopped.'} Send the request again.")
    rows = [{"asset_id": name, "similarity": cosine} for name, cosine in result.hits[:top]]
    return jsonify(state=result.state, assets=rows)


@blueprint.get("/openapi.json")
def description() -> Response:
    """This description."""
    return jsonify(openapi.describe())


def _bytes(reference: Reference, content: Content, file: str) -> Response:
    kind = TYPES.get(file[file.rindex(".") :], "application/octet-stream")
    response = Response(content.content, content_type=kind)
    response.set_etag(content.digest)
    response.headers["Attune-Version"] = str(content.version)
    response.headers["Cache-Control"] = FOR_EVER if reference.version else ASK_AGAIN
    response.headers["Content-Disposition"] = f'inline; filename="{file}"'
    response.make_conditional(request.environ, accept_ranges=True, complete_length=len(content.content))
    return response


def _reference(name: str, ref: str) -> Reference:
    return Reference(check_name(name), check_ref(ref))


def _whole(name: str, default: int) -> int:
    text: Any = request.args.get(name, default)
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value < 10**9:
        raise DataError(f"{name}: {text!r} is not a whole number of at least 1. The default is {default}.")
    return value
