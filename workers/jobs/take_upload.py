"""The job `upload`: take the files that somebody sent by browser into the pool."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import select

from attune.labeler.assets import image_uris, uploads
from attune.labeler.assets.add import Request, add
from attune.labeler.assets.reach import Reach
from attune.labeler.assets.summary import Summary
from attune.labeler.assets.unpack import Unpacked, unpack
from attune.labeler.jobs.jobs import Report
from attune.labeler.people import owner_rights
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError, DataError
from attune.models.files.atomic import write_json

MOST_NAMED = 500  # refusals that the result names one by one; all are counted
ELSEWHERE = (
    "This row names an image that did not come with the upload. Send the image in the same upload, and give its "
    "name in the column filename. For images elsewhere: `attune assets add --manifest FILE`"
)
UNREACHED = frozenset({"place not allowed", "another machine", "chain of addresses"})


def run(
    settings: Settings, report: Report, ticket: str, asked_by: int, files: int = 0, restore: bool = False
) -> dict[str, Any]:
    """Unpack the upload and add what is an image; the counts, and what was refused and why.

    Done a second time it changes nothing and tells the same. Raises AccessError where ``asked_by`` is no longer an
    owner's login, UnknownUpload where the upload is gone, and what `labeler.assets.add` raises: then nothing was added.
    """
    folder = uploads.folder_of(settings, asked_by, ticket)
    with FileLock(folder / "job.lock", timeout=60):
        told = folder / "result.json"
        try:
            with writing(settings) as session:
                owner_rights.check_owner(session, asked_by)
            if not told.exists():
                kept = uploads.kept_in(settings, ticket)
                write_json(told, _take_in(settings, report, folder, kept, files, restore))
        except AttuneError:
            _drop_parts(folder)  # nobody asks for a failed upload again: the files are sent anew
            raise
        _drop_parts(folder)
        result: dict[str, Any] = json.loads(told.read_text())
        return result


def _take_in(settings: Settings, report: Report, folder: Path, kept: Path, files: int, restore: bool) -> dict[str, Any]:
    unpacked = _unpacked(settings, report, folder, kept)
    table = folder / "table" / unpacked["table"].rpartition("/")[2] if unpacked["table"] else None
    roots = [kept] if table is None else _roots(kept, unpacked["table"])
    reach = Reach(sources="", private_hosts="", own=str(kept))
    request = Request([str(root) for root in roots if root.is_dir()], table, restore=restore, wait=False, reach=reach)
    try:
        summary = add(settings, request, report) if unpacked["files"] else Summary()
    finally:
        _drop_others(settings, kept)
    refused = [tuple(one) for one in unpacked["refused"]]
    refused += [
        (item, why, f"{item}: {ELSEWHERE}" if why in UNREACHED else text) for item, why, text in summary.refused
    ]
    return {
        "sent": files,
        "added": summary.added,
        "already_there": summary.already_there,
        "restored": summary.restored,
        "updated": summary.updated,
        "passed_over": summary.passed_over + unpacked["passed_over"],
        "not_in_table": summary.not_in_manifest,
        "refused": dict(Counter(why for _, why, _ in refused).most_common()),
        "refusals": [{"item": item, "reason": why, "message": text} for item, why, text in refused[:MOST_NAMED]],
        "without_vector": len(summary.without_vector),
        "jobs": summary.jobs,
    }


def _unpacked(settings: Settings, report: Report, folder: Path, kept: Path) -> dict[str, Any]:
    """What unpacking gave, the files of which are in ``kept`` afterwards; a second time what it gave the first time."""
    told = folder / "unpacked.json"
    if not kept.exists():
        parts = list(uploads.parts(folder))
        if not parts:
            raise DataError("The files of this upload do not exist any more. Send them again.")
        done = unpack(parts, folder / "ready", report)
        table = _aside(done, folder)
        rest = {"files": done.files - bool(table), "passed_over": done.passed_over, "refused": done.refused}
        write_json(told, {**rest, "table": table})
        settings.images.mkdir(mode=0o700, exist_ok=True)
        os.rename(done.folder, kept)
    result: dict[str, Any] = json.loads(told.read_text())
    return result


def _aside(done: Unpacked, folder: Path) -> str:
    """Put the table, if one came, beside the images; its path among them, empty without one."""
    for place in done.tables:
        (folder / "table").mkdir(mode=0o700, exist_ok=True)
        os.replace(done.folder / place, folder / "table" / place.rpartition("/")[2])
        return place
    return ""


def _roots(kept: Path, table: str) -> list[Path]:
    """Where the file names of a table may begin: at the upload, beside the table, and in a folder that holds all."""
    roots = [kept, (kept / table).parent]
    inner = kept
    while len(there := list(inner.iterdir())) == 1 and there[0].is_dir():
        inner = there[0]
        roots.append(inner)
    return list(dict.fromkeys(roots))


def _drop_others(settings: Settings, kept: Path) -> None:
    """Delete the files that are no image of the pool, and folders that are empty then."""
    below = Asset.uri.startswith(image_uris.uri_of(f"{kept}/"), autoescape=True)
    with reading(settings) as session:
        paths = [image_uris.local_path(uri) for uri in session.scalars(select(Asset.uri).where(below))]
    # By what they are: a table may have spelled a name in another way that leads to the same file.
    mine = {os.stat(path).st_ino for path in paths if os.path.exists(path)}
    for place, _, names in os.walk(kept, topdown=False):
        for name in names:
            if os.stat(os.path.join(place, name)).st_ino not in mine:
                os.unlink(os.path.join(place, name))
        if not os.listdir(place):
            os.rmdir(place)


def _drop_parts(folder: Path) -> None:
    for part in list(uploads.parts(folder)):
        part.path.unlink(missing_ok=True)
        part.path.with_suffix(".json").unlink(missing_ok=True)
    shutil.rmtree(folder / "ready", ignore_errors=True)
