"""`attune attribute scope`: what people decided about groups of images at the edge of a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.cli.attribute_group import command
from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.records.schema import Asset, ScopeDecision
from attune.labeler.records.session import reading
from attune.labeler.scope.stored import SKIP, sides
from attune.models.clock import iso


@attune_command(command, "scope", example="attune attribute scope serious")
@click.argument("name")
def scope(shell: Shell, name: str) -> None:
    """List the decisions about groups of similar images for NAME: which images count, and which do not."""
    with reading(shell.settings) as session:
        one = attributes.find(session, name)
        mine = (ScopeDecision.attribute_id == one.id, ScopeDecision.undone_at.is_(None), ScopeDecision.said != SKIP)
        found = list(session.scalars(select(ScopeDecision).where(*mine).order_by(ScopeDecision.id)))
        keys = {int(key) for row in found for key in row.shown}
        there = session.execute(select(Asset.id, Asset.asset_id).where(Asset.id.in_(keys)))
        names = {key: asset_id for key, asset_id in there}  # noqa: C416
    value = [_facts(row, names) for row in found]
    lines = [
        (one["decided_at"][:16], one["who"], len(one["counts"]), len(one["does_not_count"]), one["note"],
         one["revision"] or "not yet")
        for one in value
    ]  # fmt: skip
    columns = ("when (UTC)", "who", "count", "do not", "in words", "in revision")
    shell.result({"name": name, "decisions": value}, table(columns, lines))


def _facts(row: ScopeDecision, names: Mapping[int, str]) -> dict[str, Any]:
    counts, other = ([names[key] for key in side if key in names] for side in sides(row))
    return {
        "who": row.who,
        "decided_at": iso(row.decided_at),
        "said": row.said,
        "counts": counts,
        "does_not_count": other,
        "note": row.note,
        "answers": row.answers,
        "revision": row.written,
    }
