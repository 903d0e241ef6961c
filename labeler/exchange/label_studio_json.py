"""Label Studio's own JSON: a list of tasks with their annotations, written so that Label Studio imports it as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attune.labeler.exchange.export_rows import Exported, Row
from attune.labeler.label_studio.labeling_config import read_value, write_result
from attune.labeler.label_studio.task_address import KEY
from attune.models.clock import iso
from attune.models.errors import UnknownAnnotationShape
from attune.models.labels.answers import SKIP

People = Mapping[str, Mapping[int, str]]  # a task's key -> user id in its Label Studio -> expert's address
REMOTE = ("http://", "https://", "s3://", "gs://", "azure-blob://")


def tasks_of(exported_rows: Exported, addresses: Mapping[str, str]) -> list[dict[str, Any]]:
    """One task an asset, its answers as annotations; ``addresses`` maps an asset's id to its image.

    Label Studio gives imported annotations to whoever imports them, and refuses addresses that it does not know, so
    the experts are named in the task's ``meta``, by the annotation's id.
    """
    by_asset: dict[str, list[Row]] = {}
    for row in exported_rows.rows:
        by_asset.setdefault(row.asset_id, []).append(row)
    return [
        {
            "data": {"image": addresses.get(name, rows[0].uri), "asset_id": name, "title_id": rows[0].title_id},
            "meta": {"attune": {"attribute": exported_rows.name, "experts": {str(row.id): row.expert for row in rows}}},
            "annotations": [_annotation(row) for row in rows],
        }
        for name, rows in by_asset.items()
    ]


def _annotation(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "result": write_result(row.value),
        "was_cancelled": row.value == SKIP,
        "ground_truth": False,
        "lead_time": row.lead_seconds,
        "created_at": iso(row.answered_at),
        "updated_at": iso(row.updated_at),
    }


def rows_of(tasks: Sequence[Any], classes: Sequence[str], people: People) -> Iterator[Any]:
    """The answers in an export of Label Studio: dictionaries, and in place of one that cannot be read its reason.

    ``people`` maps user ids to experts' addresses, by the keys of the tasks for which they mean that: those of our own
    queues. In another Label Studio the same number is someone else.
    """
    for task in tasks:
        if not isinstance(task, Mapping) or not isinstance(task.get("data"), Mapping):
            yield "no task of Label Studio"
            continue
        experts = _inside(_inside(_inside(task, "meta"), "attune"), "experts")
        annotations = task.get("annotations")
        for annotation in annotations if isinstance(annotations, list) else ():
            try:
                value = read_value(annotation, classes)
            except (UnknownAnnotationShape, AttributeError):
                yield "unknown class"
                continue
            yield {
                "asset_id": task["data"].get("asset_id"),
                "expert": _expert(annotation, experts, people.get(str(task["data"].get(KEY) or ""), {})),
                "class": value,
                "answered_at": annotation.get("created_at"),
                "updated_at": annotation.get("updated_at"),
            }


def _inside(section: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = section.get(name)
    return found if isinstance(found, Mapping) else {}


def _expert(annotation: Mapping[str, Any], experts: Mapping[str, str], people: Mapping[int, str]) -> str | None:
    who = annotation.get("completed_by")
    if isinstance(who, Mapping) and who.get("email"):
        return str(who["email"])
    # An annotation that went through Label Studio has our id as its import_id.
    imported_id = experts.get(str(annotation.get("import_id", annotation.get("id"))))
    return imported_id or (people.get(who) if isinstance(who, int) else None)
