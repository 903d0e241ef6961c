"""Asking the data manager for tasks: filters, pages, and one request a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from attune.labeler.label_studio.client import LabelStudio
from attune.models.clock import iso

PAGE = 200
Filter = dict[str, Any]


def is_open() -> list[Filter]:
    """Filters for tasks with neither an answer nor a skip."""
    return [_number("total_annotations", "equal", 0), _number("cancelled_annotations", "equal", 0)]


def is_untouched() -> list[Filter]:
    """Filters for tasks that no one has answered, skipped or begun (a draft shows that someone has)."""
    begun = {"filter": "filter:tasks:draft_exists", "operator": "equal", "type": "Boolean", "value": "false"}
    return [*is_open(), begun]


def changed_after(moment: datetime) -> Filter:
    """Filter for tasks that anything happened to after ``moment``."""
    return {"filter": "filter:tasks:updated_at", "operator": "greater", "type": "Datetime", "value": iso(moment)}


def is_answered() -> list[Filter]:
    """Filters, to be joined by "or", for tasks with an answer or a skip."""
    return [_number("total_annotations", "greater", 0), _number("cancelled_annotations", "greater", 0)]


def of_assets(asset_ids: Sequence[str]) -> list[Filter]:
    """Filters, to be joined by "or", for the tasks that show these assets."""
    return [
        {"filter": "filter:tasks:data.asset_id", "operator": "equal", "type": "String", "value": name}
        for name in asset_ids
    ]


def listed(
    ls: LabelStudio,
    project: int,
    filters: Sequence[Filter] = (),
    *,
    conjunction: str = "and",
    ids: Sequence[int] | None = None,
    whole: bool = False,
    page: int = PAGE,
) -> Iterator[dict[str, Any]]:
    """Tasks in the order of their ids; with annotations, drafts and predictions where ``whole``.

    Pages go by the last id seen and not by number, so that what appears or vanishes meanwhile pushes none out of sight.
    Filters joined by "or" cannot be paged: ask for no more than one page holds.
    """
    query: dict[str, Any] = {"ordering": ["tasks:id"]}
    if ids is not None:
        query["selectedItems"] = {"all": False, "included": list(ids)}
    last = 0
    while True:
        beyond = [_number("id", "greater", last)] if last else []
        query["filters"] = {"conjunction": conjunction, "items": [*filters, *beyond]}
        rows = _asked(ls, project, query, page, whole)
        yield from rows
        if len(rows) < page:
            return
        last = rows[-1]["id"]


def newest(ls: LabelStudio, project: int, filters: Sequence[Filter], count: int) -> list[dict[str, Any]]:
    """The ``count`` tasks that changed last, newest first, that fit one of ``filters``; whole, with their answers."""
    query = {"ordering": ["-tasks:updated_at"], "filters": {"conjunction": "or", "items": list(filters)}}
    return _asked(ls, project, query, count, whole=True)


def _asked(ls: LabelStudio, project: int, query: dict[str, Any], page: int, whole: bool) -> list[dict[str, Any]]:
    request = {
        "project": project,
        "page_size": page,
        "fields": "all" if whole else "task_only",
        "query": json.dumps(query),
        "resolve_uri": "false",
    }
    rows: list[dict[str, Any]] = ls.request("GET", "/api/tasks", query=request)["tasks"]
    return rows


def _number(column: str, operator: str, value: int) -> Filter:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": "Number", "value": value}
