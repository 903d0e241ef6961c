"""What `attune doctor` says of what a workspace holds: its answers, its images, and the encoder that they go with."""

from __future__ import annotations

from sqlalchemy import func, select

from attune.labeler.answers import misfiled, uncounted
from attune.labeler.label_studio import LabelStudio
from attune.labeler.records.schema import Asset, Queue
from attune.labeler.records.session import reading
from attune.labeler.services.finding import Finding
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError


def answers(settings: Settings) -> Finding:
    """Each answer in Label Studio is in the records, on the same image and as the same person's; none is left out."""
    with LabelStudio.connect(settings) as ls:
        wrong = misfiled.compare(settings, ls)
    with reading(settings) as session:
        left = uncounted.listed(session)
        kept = session.scalar(select(func.sum(Queue.kept)).where(Queue.closed_at.is_(None))) or 0
    cases = tuple([one.to_dict() for one in wrong] + [dict(one.to_dict()) for one in left])
    if not cases and not kept:
        return Finding("answers", "ok", "the records have the same answers as Label Studio")
    moved = [one for one in wrong if one.recorded_image]
    said, todo = [], []
    if kept:
        said.append(f"{kept} deleted in Label Studio but kept here")
        todo.append(
            "Restore Label Studio's database. If the answers were deleted on purpose: `attune sync --accept-deleted`"
        )
    if moved:
        said.append(f"{len(moved)} recorded for another image or person than Label Studio shows: {_some(moved)}")
        todo.append("Correct these answers and train on them again: `attune sync --all`")
    if len(wrong) > len(moved):
        said.append(f"{len(wrong) - len(moved)} in Label Studio but not yet here")
        todo.append("Import them: `attune sync --all`")
    for why in sorted({one.reason for one in left}):
        said.append(f"{sum(one.reason == why for one in left)} not counted ({why})")
        todo.append(uncounted.TODO[why])
    return Finding("answers", "fail" if moved else "warn", "; ".join(said), " ".join(todo), cases)


def _some(moved: list[misfiled.Misfiled]) -> str:
    shown = [f"{one.author} on {one.image} ({one.attribute}), here on {one.recorded_image}" for one in moved[:3]]
    return ", ".join(shown) + (" …" if len(moved) > 3 else "")


def encoder(settings: Settings) -> Finding:
    """The encoder's weights are on this machine or can be had."""
    from attune.models.encoders.weights import locate

    try:
        found = locate(settings.encoder, settings.pretrained)
    except AttuneError as error:
        what, _, ways = str(error).partition(" What you can do: ")
        return Finding(
            "encoder",
            "warn",
            what,
            ways or "Until then, add assets with supplied vectors: `attune assets add PATH --vectors FILE`",
        )
    return Finding("encoder", "ok", f"{settings.encoder} from {found.path}")


def images(settings: Settings) -> Finding:
    """Every image was read as today's reading reads it."""
    from attune.models.images.decode import READING

    there = Asset.removed_at.is_(None)
    with reading(settings) as session:
        total, older, moved = (
            session.scalar(select(func.count(Asset.id)).where(there, *more)) or 0
            for more in ((), (Asset.reading < READING,), (Asset.moved_at.is_not(None),))
        )
    found = f"{total:,} in the pool"
    if moved:
        found += f"; {moved:,} changed after an update and were read again"
    if not older:
        return Finding("images", "ok", found)
    found += f"; {older:,} not yet read again after an update (reading {READING})"
    return Finding("images", "warn", found, "The workers read them. Without workers: `attune assets reread`")
