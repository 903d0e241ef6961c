"""What an import would do, row by row, before anything is written.

A row becomes an ordinary answer of its expert with the purpose ``import``. Where the expert has answered the asset
already, the newer answer wins by its own time (``updated_at`` or ``answered_at`` in the file); a row without a time
never replaces what was answered in Label Studio, but does replace what an earlier import brought. The same answer
again changes nothing, so the same file may come twice, and does not bring back what was taken away since. An id 7.0
that no asset has means the asset 7: so pandas writes a column of whole numbers in which one cell is empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from unicodedata import normalize

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import oldest_first
from attune.labeler.exchange.import_files import ImportedRow
from attune.labeler.people import users
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.evaluation.audit_design import reserved_mask
from attune.models.files.cell_ids import SHORTENED, normalise, shortened, whole_number_digits
from attune.models.labels.answers import AUDIT, IMPORT, SKIP, UNSURE

UNKNOWN_CLASS = "unknown class"
NEW, CHANGED, SAME = "new", "changed", "there already"
CLOCKS_APART = timedelta(minutes=2)  # a later time than that is no time of an answer, and a sooner one is now
CHUNK = 500
IN_WORDS = {  # the reasons are keys of the JSON; people read these instead
    "an administrator's address": "the email address of an admin, who answers nothing",
    "stands twice": "another row counts for this expert and image",
    "no asset": "no asset_id",
    "no address of an expert": "not an email address",
    "in the future": "the time is in the future",
    "taken away since": "the answer was excluded, ended or deleted after this time",
    "answered otherwise already": "the expert has another answer, and this row has no time",
    "older than the answer held": "the expert has a newer answer",
    "answered in an audit": "the expert answered this in an audit, so only the expert can change it",
    "no task of Label Studio": "not a task of Label Studio",
}


def in_words(reason: str) -> str:
    """Return why a row is skipped as people read it; ``reason`` itself where it needs no other words."""
    return IN_WORDS.get(reason, reason)


@dataclass(frozen=True)
class Step:
    """One row that goes in: ``action`` is new, changed or there already; ``replaces`` the imported answer it renews."""

    number: int
    asset: Asset
    expert: str
    value: str
    answered_at: datetime
    updated_at: datetime
    action: str
    replaces: int | None = None
    dated: bool = True  # whether the file has a time for it


@dataclass
class Plan:
    """What an import would do; ``left_out`` holds (row, reason, what it named) of every row that stays outside.

    ``whole_number_digits`` counts the rows whose id, such as 7.0, was read as the whole number 7.
    """

    steps: list[Step] = field(default_factory=list)
    left_out: list[tuple[int, str, str]] = field(default_factory=list)
    newcomers: dict[str, None] = field(default_factory=dict)  # in the order of the file
    reserved: int = 0
    whole: int = 0
    lines: dict[int, int] = field(default_factory=dict)  # row left out -> the line of the file where it begins
    values: tuple[str, ...] = ()  # the classes and the other answers that a row may have

    def place(self, number: int) -> str:
        """Where a row is, as an editor or a spreadsheet counts: the header is line 1; a row of Parquet has no line."""
        return f"line {self.lines[number]}" if number in self.lines else f"row {number}"

    def why(self, reason: str) -> str:
        """Why a row is skipped, for people, with what would be taken where that can be listed."""
        said = in_words(reason)
        return f"{said}; valid are {', '.join(self.values)}" if reason == UNKNOWN_CLASS else said

    @property
    def empty(self) -> bool:
        """Whether nothing goes in although rows were there."""
        return bool(self.left_out) and not self.steps

    @property
    def counts(self) -> dict[str, int]:
        """How many rows go in, by action."""
        action_counts = Counter(step.action for step in self.steps)
        return {action: action_counts.get(action, 0) for action in (NEW, CHANGED, SAME)}

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows stay outside, by reason, most frequent first."""
        return dict(Counter(reason for _, reason, _ in self.left_out).most_common())

    def to_dict(self) -> dict[str, Any]:
        """As JSON: counts, reasons, and every row left out."""
        rows = [
            {"row": number, "line": self.lines.get(number), "reason": reason, "named": detail}
            for number, reason, detail in self.left_out
        ]
        counts = {action.replace(" ", "_"): count for action, count in self.counts.items()}
        summary = {"left_out": len(rows), "reasons": self.reasons, "rows_left_out": rows}
        summary |= {"ids_read_as_whole_numbers": self.whole}
        return counts | summary | {"not_trained_on": self.reserved, "new_experts": list(self.newcomers)}


@dataclass(frozen=True)
class ExistingAnswer:
    """An expert's newest answer on an asset, as the records hold it."""

    id: int
    value: str
    updated_at: datetime
    imported: bool
    gone: bool = False  # taken away since: by a revision, with a leaver's answers, or by its author
    audit: bool = False


def make(
    session: Session,
    attribute: Attribute,
    rows: Sequence[ImportedRow],
    create_experts: bool = False,
    administrators: Collection[str] = (),
) -> Plan:
    """What importing ``rows`` into the attribute would do; reads only. No ``administrators`` become experts by it."""
    plan, at = Plan(), now()
    asset_ids = {row.asset_id for row in rows if row.asset_id}
    assets = _assets(session, asset_ids | {digits for name in asset_ids if (digits := whole_number_digits(name))})
    rows, plan.whole = _as_whole_numbers(rows, assets)
    experts: dict[str, int] = dict(session.execute(select(Expert.email, Expert.id)).all())
    existing = existing_answers(session, attribute.id)
    plan.values = (*attribute.classes, UNSURE, SKIP)
    values = {_folded(name): name for name in plan.values}
    newest: dict[tuple[str, str], ImportedRow] = {}
    for row in _newest_first(rows):
        email = _address(row.expert)
        reason, detail = _wrong(row, email, assets, experts, values, at, create_experts)
        if not reason and email in administrators and email not in experts:
            reason, detail = "an administrator's address", row.expert[:100]
        key = (row.asset_id, email or "")
        if not reason and key in newest:
            reason, detail = "stands twice", row.asset_id
        if reason or email is None:
            plan.left_out.append((row.number, reason, detail))
            continue
        newest[key] = row
        if email not in experts and email not in plan.newcomers:
            plan.newcomers[email] = None
        asset = assets[row.asset_id]
        step = _step(row, asset, email, values[_folded(row.value)], existing.get((asset.id, experts.get(email, 0))), at)
        if isinstance(step, str):
            plan.left_out.append((row.number, step, row.asset_id))
        else:
            plan.steps.append(step)
    plan.steps.sort(key=lambda step: (step.updated_at, step.asset.asset_id, step.expert))
    plan.left_out.sort()
    outside = {number for number, _, _ in plan.left_out}
    plan.lines = {row.number: row.line for row in rows if row.line and row.number in outside}
    plan.reserved = _reserved(attribute, [step.asset.title_id for step in plan.steps])
    return plan


def _as_whole_numbers(rows: Sequence[ImportedRow], assets: Mapping[str, Asset]) -> tuple[list[ImportedRow], int]:
    """``rows``, with the asset 7 in place of 7.0 where there is no asset 7.0, and how many were so."""
    renamed = [
        replace(row, asset_id=whole_number_digits(row.asset_id))
        if row.asset_id not in assets and whole_number_digits(row.asset_id) in assets
        else row
        for row in rows
    ]
    return renamed, sum(new is not old for new, old in zip(renamed, rows, strict=True))


def _newest_first(rows: Sequence[ImportedRow]) -> list[ImportedRow]:
    """Of two rows about one answer the newer is met first; of two without a time the one that stands first."""
    first = datetime.min.replace(tzinfo=now().tzinfo)
    return sorted(rows, key=lambda row: row.updated_at or first, reverse=True)


def _wrong(
    row: ImportedRow,
    email: str | None,
    assets: Mapping[str, Asset],
    experts: Mapping[str, int],
    values: Mapping[str, str],
    at: datetime,
    create_experts: bool,
) -> tuple[str, str]:
    """Why a row stays outside, and what it named; two empty texts where nothing is wrong."""
    checks = (
        (bool(row.wrong), row.wrong, f"{row.asset_id} {row.detail}".strip()),
        (not row.asset_id, "no asset", ""),
        (not row.value, "no class", row.asset_id),
        (not row.expert, "no expert", row.asset_id),
        (row.asset_id not in assets and shortened(row.asset_id), SHORTENED, row.asset_id),
        (row.asset_id not in assets, "unknown asset", row.asset_id),
        (_folded(row.value) not in values, UNKNOWN_CLASS, row.value),
        (email is None, "no address of an expert", row.expert),
        (email not in experts and not create_experts, "unknown expert", row.expert),
        (
            email not in experts and email != _address(row.expert, users.new_address),
            "no address of an expert",
            row.expert,
        ),
        (row.updated_at is not None and row.updated_at > at + CLOCKS_APART, "in the future", row.asset_id),
    )
    return next(((reason, detail[:100]) for wrong, reason, detail in checks if wrong), ("", ""))


def _step(
    row: ImportedRow, asset: Asset, email: str, value: str, existing: ExistingAnswer | None, at: datetime
) -> Step | str:
    # What an expert answers from now on is newer, whatever time stands in the file.
    updated = min(row.updated_at or at, at)
    answered = min(row.answered_at or updated, at)
    dated = row.updated_at is not None
    if existing is not None and existing.gone:
        undated_again = row.updated_at is None and existing.imported  # the very file, it may be
        if undated_again or updated <= existing.updated_at:
            return "taken away since"
        existing = None
    if existing is None:
        return Step(row.number, asset, email, value, answered, updated, NEW, dated=dated)
    if existing.value == value:
        return Step(row.number, asset, email, value, answered, updated, SAME, dated=dated)
    if existing.audit:  # an import measures nothing: whoever imports would choose which audits count
        return "answered in an audit"
    if row.updated_at is None and not existing.imported:
        return "answered otherwise already"
    if updated <= existing.updated_at:
        return "older than the answer held"
    before = existing.id if existing.imported else None
    return Step(row.number, asset, email, value, answered, updated, CHANGED, before, dated)


def _address(text: str, read: Callable[[str], str] = users.address) -> str | None:
    try:
        return read(text)
    except DataError:
        return None


def _folded(text: str) -> str:
    return normalise(text).casefold()


def _assets(session: Session, names: set[str]) -> dict[str, Asset]:
    # The records hold one Unicode form; a workspace from elsewhere may hold the other.
    spellings = sorted(names | {normalize("NFD", name) for name in names if not name.isascii()})
    assets: dict[str, Asset] = {}
    for start in range(0, len(spellings), CHUNK):
        part = select(Asset).where(Asset.asset_id.in_(spellings[start : start + CHUNK]), Asset.removed_at.is_(None))
        assets |= {normalise(asset.asset_id): asset for asset in session.scalars(part)}
    return assets


def existing_answers(session: Session, attribute_id: int) -> dict[tuple[int, int], ExistingAnswer]:
    """The newest answer of each expert on each asset, (asset, expert) -> what is held; one that was taken away where
    there is no other, so that a file from before, an export of our own say, does not bring it back."""
    rows = session.execute(
        select(
            Annotation.asset_pk, Annotation.expert_id, Annotation.id, Annotation.value, Annotation.updated_at,
            Annotation.purpose, Annotation.deleted_at,
        )
        .where(Annotation.attribute_id == attribute_id)
        .order_by(Annotation.deleted_at.is_(None), *oldest_first())
    )  # fmt: skip
    return {
        (asset, who): ExistingAnswer(key, value, at, purpose == IMPORT, deleted is not None, purpose == AUDIT)
        for asset, who, key, value, at, purpose, deleted in rows
    }


def _reserved(attribute: Attribute, titles: Sequence[str]) -> int:
    share = float(attribute.settings.get("reserved_share") or 0.0)
    if not titles or not share:
        return 0
    return int(reserved_mask(titles, int(attribute.settings.get("seed", 0)), share).sum())
