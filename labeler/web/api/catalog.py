"""The feature catalog: the list of probes, manifests, files and feature values, with the caching that each may have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from flask import Response, jsonify, request, send_file

from attune.labeler.catalog import alias_history as past
from attune.labeler.catalog.listing import Summary, published
from attune.labeler.catalog.reading import Content, features_of, file_of, manifest_of
from attune.labeler.web import auth
from attune.labeler.web.api.described import (
    HELD,
    OF_VERSION,
    PAGES,
    PIECE,
    Query,
    error,
    file_answer,
    json_answer,
    text,
)
from attune.labeler.web.api.description import describe
from attune.labeler.web.api.routes import get
from attune.labeler.web.api.schemas import schema
from attune.models.catalog.manifest import ALIAS, CHAMPION, FILE_NAME, Manifest, Reference, check_name, check_ref
from attune.models.clock import iso

FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
NOT_FOR_EXPERTS = "Not for experts, who answer without knowing what a probe says or how it is measured."
TYPES = {".json": "application/json", ".md": "text/markdown; charset=utf-8"}


class Probes(TypedDict):
    """A page of the list of probes."""

    probes: list[Summary]
    page: int
    pages: int
    total: int


class History(TypedDict):
    """A page of an attribute's history."""

    attribute: str
    history: list[past.Line]
    page: int
    pages: int
    total: int


class Then(TypedDict):
    """What an alias was on a date."""

    attribute: str
    alias: str
    on: Annotated[str, {"format": "date-time"}]
    version: int | None
    line: past.Line | None


@get(
    "/probes",
    "List the probes",
    {200: json_answer("One page of probes, sorted by name.", Probes), 422: error("The page number is not valid.")},
    query=PAGES,
    about=NOT_FOR_EXPERTS,
)
def probes(page: int, size: int) -> Response:
    """Every attribute with a published version: its aliases, versions and champion's average precision."""
    page_found = published(auth.settings(), page, size)
    return jsonify(
        Probes(probes=list(page_found.items), page=page_found.number, pages=page_found.pages, total=page_found.total)
    )


@get(
    "/probes/<name>/history",
    "Read the history of the aliases",
    {
        200: json_answer("A page of the history, or the entry for `on`.", History | Then),
        404: error("The attribute does not exist."),
        422: error("The page, date or alias is not valid."),
    },
    query=(
        Query(
            "on",
            "A date (end of the day, UTC) or a time, ISO 8601.",
            {"type": "string", "format": "date"},
            lambda sent: None if sent is None else past.moment(sent),
        ),
        text("alias", "The alias, with `on`.", pattern=f"^{ALIAS.pattern}$", default=CHAMPION),
        *PAGES,
    ),
    about="Newest first. With `on`: the version of `alias` on that date.",
)
def history(name: str, on: datetime | None, alias: str, page: int, size: int) -> Response:
    """Who moved which alias when and why, newest first; with ``on``, what ``alias`` pointed at then."""
    attribute_name, settings, alias = check_name(name), auth.settings(), past.check_alias(alias)
    if on is not None:
        line = past.pointing_at(settings, attribute_name, on, alias)
        content = {"line": line.to_dict(), "version": line.version} if line else {"line": None, "version": None}
        return jsonify(attribute=attribute_name, alias=alias, on=iso(on), **content)
    page_found = past.page(settings, attribute_name, page, size)
    lines = [line.to_dict() for line in page_found.items]
    return jsonify(
        attribute=attribute_name, history=lines, page=page_found.number, pages=page_found.pages, total=page_found.total
    )


_MANIFEST = schema(Manifest, optional=("draft",))
_MANIFEST["properties"]["draft"]["description"] = "True if a class had no answers, else missing."


@get(
    "/probes/<name>/<ref>",
    "Read a manifest",
    {200: json_answer("The manifest.", _MANIFEST, of_version=True)} | OF_VERSION,
    headers=(HELD,),
    about=NOT_FOR_EXPERTS,
)
def manifest(name: str, ref: str) -> Response:
    """The manifest of the version that REF, a version or an alias, means."""
    reference = _reference(name, ref)
    return bytes_answer(reference, manifest_of(auth.settings(), reference), FILE_NAME)


_FILE = file_answer("The file.", "application/octet-stream", "text/markdown")
del _FILE["headers"]
_FILE["content"] |= {"application/json": {"schema": {"type": "object"}}}  # manifest.json


@get(
    "/probes/<name>/<ref>/files/<file>",
    "Pull a file of a version",
    {200: _FILE} | OF_VERSION,
    headers=(HELD, PIECE),
    about=NOT_FOR_EXPERTS,
)
def file(name: str, ref: str, file: str) -> Response:
    """One file of a version: probe.safetensors, probe.onnx, card.md or manifest.json."""
    reference = _reference(name, ref)
    return bytes_answer(reference, file_of(auth.settings(), reference, file), file)


@get(
    "/features/<name>/<ref>",
    "Pull the feature values",
    {200: file_answer("A Parquet file, one row per asset and class.", "application/vnd.apache.parquet")} | OF_VERSION,
    headers=(HELD, PIECE),
    about=NOT_FOR_EXPERTS,
)
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


@get("/openapi.json", "Read this description", {200: json_answer("An OpenAPI document.", {"type": "object"})})
def description() -> Response:
    """This description."""
    return jsonify(describe())


def bytes_answer(reference: Reference, content: Content, file: str) -> Response:
    """The bytes of a version, with the caching that a version or an alias may have."""
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
