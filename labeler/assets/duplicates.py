"""The same image under two ids has one vector: it is copied, not computed again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Asset
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.images.decode import READING
from attune.models.vectors.vector_store import VectorStore

DIGESTS_AT_ONCE = 500  # in one query


def copy_from_duplicates(
    session: Session, store: VectorStore, fingerprint: Fingerprint, assets: Sequence[Asset]
) -> int:
    """Give those of ``assets`` (without a vector yet) whose content another asset has that one's vector; how many.

    Not the vector of an older reading, which may be of another picture.
    """
    waiting = {asset.asset_id for asset in assets}
    twins: dict[str, str] = {}
    digests = sorted({asset.digest for asset in assets})
    for start in range(0, len(digests), DIGESTS_AT_ONCE):
        some = Asset.digest.in_(digests[start : start + DIGESTS_AT_ONCE])
        there = (Asset.removed_at.is_(None), Asset.reading == READING)
        rows = session.execute(select(Asset.asset_id, Asset.digest).where(some, *there))
        twins.update((row.asset_id, row.digest) for row in rows if row.asset_id not in waiting)
    vectors = store.lookup(fingerprint, sorted(twins)) if twins else {}
    copied = {twins[id_]: vector for id_, vector in vectors.items()}
    pairs = [(asset.asset_id, copied[asset.digest]) for asset in assets if asset.digest in copied]
    if not pairs:
        return 0
    return store.append(fingerprint, [id_ for id_, _ in pairs], np.stack([vector for _, vector in pairs]))
