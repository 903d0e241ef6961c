"""Put looked-at images into the records, some hundreds a transaction, so that a kill leaves whole rows and no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets import image_sources
from attune.labeler.assets.given_titles import GivenTitles
from attune.labeler.assets.proposed import Candidate
from attune.labeler.assets.reach import Reach
from attune.labeler.assets.summary import Summary
from attune.labeler.records.schema import Asset
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import UnreadableItem
from attune.models.files.atomic import digest_bytes
from attune.models.images.decode import ImageInfo, inspect

READERS = 4  # threads: decoding and digests leave the interpreter's lock, and disks answer several at once


@dataclass(frozen=True)
class InspectedAsset:
    """A candidate and what its bytes are: ``info`` is None where the records hold the same content under its id."""

    candidate: Candidate
    digest: str
    info: ImageInfo | None


def inspect_candidates(
    settings: Settings, candidates: Sequence[Candidate], known_ids: Mapping[str, str]
) -> list[InspectedAsset | UnreadableItem]:
    """Read and check images side by side. ``known_ids``: asset_id -> digest; that content is not decoded again."""

    reach = Reach.of(settings)

    def one(candidate: Candidate) -> InspectedAsset | UnreadableItem:
        try:
            content = image_sources.read(candidate.uri, candidate.name, reach)
            digest = digest_bytes(content)
            if digest in {known_ids.get(choice) for choice in candidate.ids}:
                return InspectedAsset(candidate, digest, None)
            return InspectedAsset(candidate, digest, inspect(content, candidate.name, settings.max_pixels))
        except UnreadableItem as error:
            return error

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(one, candidates))


def known_digests(session: Session, candidates: Iterable[Candidate]) -> dict[str, str]:
    """asset_id -> digest of those of the candidates' ids that the records hold."""
    ids = {choice for candidate in candidates for choice in candidate.ids}
    rows = session.execute(select(Asset.asset_id, Asset.digest).where(Asset.asset_id.in_(ids)))
    return {row.asset_id: row.digest for row in rows}


def register(
    session: Session,
    inspected: Sequence[InspectedAsset],
    restore: bool,
    summary: Summary,
    reach: Reach = image_sources.USUAL,
) -> dict[Candidate, Asset]:
    """Record what was looked at, inside the caller's transaction; returns the assets, old and new."""
    ids = {choice for item in inspected for choice in item.candidate.ids}
    by_asset_id = {asset.asset_id: asset for asset in session.scalars(select(Asset).where(Asset.asset_id.in_(ids)))}
    digests = select(Asset.digest).where(
        Asset.digest.in_({item.digest for item in inspected}), Asset.removed_at.is_(None)
    )
    contents = set(session.scalars(digests))
    given = GivenTitles(session)
    registered: dict[Candidate, Asset] = {}
    for item in inspected:
        try:
            registered[item.candidate] = _register_one(
                session, item, by_asset_id, contents, restore, summary, reach, given
            )
        except UnreadableItem as error:
            summary.refuse(item.candidate.name, error)
    session.flush()
    return registered


def _register_one(
    session: Session,
    item: InspectedAsset,
    by_asset_id: dict[str, Asset],
    contents: set[str],
    restore: bool,
    summary: Summary,
    reach: Reach,
    given: GivenTitles,
) -> Asset:
    for choice in item.candidate.ids:
        asset = by_asset_id.get(choice)
        if asset is None and item.info is not None:
            return _added(session, item, item.info, choice, by_asset_id, contents, summary)
        if asset is not None and asset.digest == item.digest:
            return _update_known(asset, item.candidate, restore, summary, reach, given)
    first = item.candidate.ids[0]
    raise UnreadableItem(
        f"{item.candidate.name} is another image than {first}, which has the same id in the pool (now or "
        f"before). Give {item.candidate.uri} another asset_id in an asset table: `attune assets add --manifest "
        "FILE.csv`, with the columns asset_id and uri.",
        "other content under a known id",
    )


def _added(
    session: Session,
    item: InspectedAsset,
    info: ImageInfo,
    asset_id: str,
    by_asset_id: dict[str, Asset],
    contents: set[str],
    summary: Summary,
) -> Asset:
    candidate = item.candidate
    asset = Asset(
        asset_id=asset_id,
        title_id=candidate.title_id or asset_id,
        uri=candidate.uri,
        digest=item.digest,
        width=info.width,
        height=info.height,
        columns=dict(candidate.columns),
        added_at=now(),
    )
    session.add(asset)
    by_asset_id[asset_id] = asset
    summary.added += 1
    summary.twins += item.digest in contents
    summary.note(info.notes, candidate.name)
    if info.flat:
        (summary.blank if info.transparent else summary.one_colour).append(asset_id)
    contents.add(item.digest)
    return asset


def _update_known(
    asset: Asset, candidate: Candidate, restore: bool, summary: Summary, reach: Reach, given: GivenTitles
) -> Asset:
    if asset.removed_at is not None:
        if not restore:
            raise UnreadableItem(
                f"{asset.asset_id} was removed on {asset.removed_at:%Y-%m-%d}. To bring it back with its answers, "
                "tick “Bring back images that were removed” on the page Images, or: `attune assets add … --restore`",
                "removed before",
            )
        asset.removed_at, asset.uri = None, candidate.uri
        summary.restored += 1
    else:
        summary.already_there += 1
        if asset.uri != candidate.uri and not image_sources.exists(asset.uri, reach):
            asset.uri = candidate.uri  # the file was moved
    if candidate.from_manifest:
        title = candidate.title_id or asset.title_id
        if given.keeps(asset, title):
            summary.titles_kept.append(asset.asset_id)
            title = asset.title_id
        updated = (title, dict(candidate.columns))
        if updated != (asset.title_id, asset.columns):
            asset.title_id, asset.columns = updated
            summary.updated += 1
    return asset
