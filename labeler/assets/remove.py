"""Take assets out: pool, open tasks, vectors, thumbnails. The row stays, so that answers keep what they were about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import task_ids
from attune.labeler.assets.media import drop_thumbnails
from attune.labeler.label_studio.task_address import Address
from attune.labeler.measured import values
from attune.labeler.records.schema import Asset, Queue, Task
from attune.labeler.records.session import migrate, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, LabelStudioError, UnknownAsset
from attune.models.files.cell_ids import normalise
from attune.models.vectors.vector_store import VectorStore

AT_ONCE = 500


@dataclass(frozen=True)
class Removed:
    """What a removal took out; of ids in ``removed_before`` only left-overs were looked for.

    ``label_studio_error`` says why Label Studio still shows the questions, where it could not be told.
    """

    removed: list[str]
    removed_before: list[str]
    vectors: int
    tasks: int
    label_studio_error: str = ""


def remove(settings: Settings, asset_ids: Sequence[str], kept: str = "") -> Removed:
    """Remove assets everywhere. Running it again, by ids or by place, finishes what a kill left undone.

    Raises UnknownAsset, with near names, where one of the ids is unknown, and DataError where the asset ``kept``, which
    these are duplicates of, is gone; then nothing is removed, but of more than AT_ONCE assets.
    """
    migrate(settings)
    requested = list(dict.fromkeys(normalise(asset_id) for asset_id in asset_ids))
    _check_known(settings, requested)
    fresh: list[str] = []
    tasks = 0
    keys: list[int] = []
    digests: set[str] = set()
    for start in range(0, len(requested), AT_ONCE):
        with writing(settings) as session:
            some = _locked(session, requested[start : start + AT_ONCE], kept)
            for asset in some:
                digests.add(asset.digest)
                if asset.removed_at is None:
                    fresh.append(asset.asset_id)
                    asset.removed_at, asset.columns = now(), {}
            keys += [asset.id for asset in some]
            tasks += retire_tasks(session, [asset.id for asset in some])
    trouble = delete_questions(settings, keys)
    vectors = VectorStore(settings.vectors).remove(requested)
    values.forget(settings, requested)
    for digest in sorted(digests - _still_shown(settings, digests)):
        drop_thumbnails(settings, digest)
    if not trouble:
        _forget_places(settings, keys)
    return Removed(fresh, [id_ for id_ in requested if id_ not in set(fresh)], vectors, tasks, trouble)


def _forget_places(settings: Settings, keys: Sequence[int]) -> None:
    """Last, as it is by their place that images are found whose removal a kill left undone."""
    for start in range(0, len(keys), AT_ONCE):
        gone = Asset.id.in_(keys[start : start + AT_ONCE]), Asset.removed_at.is_not(None)
        with writing(settings) as session:
            session.execute(update(Asset).where(*gone).values(uri=""))


def _locked(session: Session, asset_ids: Sequence[str], kept: str) -> list[Asset]:
    """The rows of these assets; nobody else removes them, or ``kept``, before this transaction ends."""
    rows = select(Asset).where(Asset.asset_id.in_([*asset_ids, *([kept] if kept else [])]))
    # In one order: two who hold each other's rows would wait for ever.
    found = {one.asset_id: one for one in session.scalars(rows.order_by(Asset.id).with_for_update(key_share=True))}
    if kept and (kept not in found or found[kept].removed_at is not None):
        raise DataError(
            f"Somebody else has just removed {kept[:80]!r}, the image to keep. Nothing was removed now. Load the page "
            "Duplicates again."
        )
    return [one for name, one in found.items() if name != kept]


def retire_tasks(session: Session, asset_pks: Sequence[int]) -> int:
    """Close the open tasks on these assets in the records; how many."""
    stale = update(Task).where(Task.asset_pk.in_(asset_pks), Task.state == "open").values(state="retired")
    return int(session.connection().execute(stale).rowcount)


def delete_questions(settings: Settings, asset_pks: Sequence[int]) -> str:
    """Delete the unanswered questions on these assets from Label Studio; why not, where it cannot be told.

    The images are gone from the experts' browsers either way: a signed address opens nothing once its asset is removed.
    """
    projects: dict[int, list[Address]] = defaultdict(list)
    with reading(settings) as session:
        for start in range(0, len(asset_pks), AT_ONCE):
            some = Task.asset_pk.in_(asset_pks[start : start + AT_ONCE])
            tasks = (
                select(Queue.project, Task, Asset.asset_id)
                .join(Task, Task.queue_id == Queue.id)
                .join(Asset, Asset.id == Task.asset_pk)
            )
            for project, task, asset_id in session.execute(tasks.where(some, Task.state == "retired")):
                if (task_id := task_ids.task_address(task, asset_id)) is not None:
                    projects[project].append(task_id)
    if not projects:
        return ""
    from attune.labeler.label_studio import queue_tasks
    from attune.labeler.label_studio.client import LabelStudio

    try:
        label_studio = LabelStudio.connect(settings)
        for project, stale in projects.items():
            ids = queue_tasks.retire(label_studio, project, stale)
            with writing(settings) as session:
                task_ids.clear_deleted(session, stale, ids)
    except LabelStudioError as error:
        return str(error)
    return ""


def _check_known(settings: Settings, requested: Sequence[str]) -> None:
    with reading(settings) as session:
        existing: set[str] = set()
        for start in range(0, len(requested), AT_ONCE):
            existing.update(
                session.scalars(select(Asset.asset_id).where(Asset.asset_id.in_(requested[start : start + AT_ONCE])))
            )
        unknown = [id_ for id_ in requested if id_ not in existing]
        if not unknown:
            return
        near = get_close_matches(unknown[0], session.scalars(select(Asset.asset_id).limit(20_000)).all(), n=3)
    more = f" (and {len(unknown) - 1} others)" if len(unknown) > 1 else ""
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise UnknownAsset(
        f"The asset {unknown[0]!r}{more} does not exist. Nothing was removed.{hint} To list all ids: `attune "
        "assets list`"
    )


def _still_shown(settings: Settings, digests: set[str]) -> set[str]:
    """Contents that an asset in the pool still has: the same image under another id."""
    ordered = sorted(digests)
    digests_in_use: set[str] = set()
    with reading(settings) as session:
        for start in range(0, len(ordered), AT_ONCE):
            some = Asset.digest.in_(ordered[start : start + AT_ONCE])
            digests_in_use.update(session.scalars(select(Asset.digest).where(some, Asset.removed_at.is_(None))))
    return digests_in_use
