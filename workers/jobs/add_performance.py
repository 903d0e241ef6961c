"""The job `performance`: import a performance file that somebody sent by browser, and check what is there then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attune.labeler.assets import uploads
from attune.labeler.jobs.jobs import Report
from attune.labeler.people import owner_rights
from attune.labeler.performance import checks, imports, uploaded
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.files.atomic import write_json

STEPS = imports.STEPS + 1  # of the import, and the checks


def run(
    settings: Settings, report: Report, ticket: str, asked_by: int, who: str, maps: Sequence[str] = (), arm: str = "",
    one_chance: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Returns ``{"import", "again", "checks"}``: the import's number, and whether this file was there before.

    Raises AccessError where ``asked_by`` is no longer an owner's login, UnknownUpload where the file is gone, and what
    `performance.imports` raises: then nothing was imported, and the file stays for another try.
    """
    with writing(settings) as session:
        owner_rights.check_owner(session, asked_by)
    told = uploads.folder_of(settings, asked_by, ticket) / "result.json"
    if told.exists():  # the job was killed between its end and the record of it
        kept: dict[str, Any] = json.loads(told.read_text())
        return kept
    place = uploaded.local_file(settings, asked_by, ticket)

    def step(done: int, _: int) -> None:
        report(done, STEPS)

    done = imports.add(settings, str(place), tuple(maps), arm, who, step, one_chance, place.name)
    checked = checks.check(settings)
    report(STEPS, STEPS)
    result = {"import": done.row.id, "again": done.again, "checks": checked.as_json()}
    write_json(told, result)
    uploaded.drop_file(settings, asked_by, ticket)
    return result
