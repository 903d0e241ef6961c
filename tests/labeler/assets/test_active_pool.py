"""The pool beside the records: what was removed is never shown, and its answers stay what they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attune.labeler.assets import active_pool
from attune.labeler.assets.active_encoder import activate
from attune.labeler.assets.active_pool import open_pool
from attune.labeler.records.schema import Asset, Attribute
from attune.labeler.records.session import reading, writing
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.evaluation.audit_design import reserved_mask
from attune.models.vectors.vector_store import VectorStore
from attune.workers.rounds import snapshot
from tests.support import factories


@pytest.mark.parametrize("seed", range(6))
def test_removing_an_image_moves_no_answer_into_training_or_out_of_it(tmp_path: Path, seed: int) -> None:
    settings = factories.workspace(tmp_path)
    queue = factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))
    fingerprint = Fingerprint("external", "vectors", "external:0", 20)
    with writing(settings) as session:
        activate(session, fingerprint)
        kept = {"seed": seed, "reserved_share": 0.4, "strategy": "attune"}
        session.get_one(Attribute, queue.attribute_id).settings = kept
    assets = factories.add_assets(settings, 20)
    VectorStore(settings.vectors).append(fingerprint, [one.asset_id for one in assets], np.eye(20, dtype=np.float32))
    for asset in assets:
        factories.add_answer(settings, queue, asset, "romance", "seed")
    before = snapshot.take_snapshot(settings, "romance").training.asset_ids
    apart = reserved_mask([one.title_id for one in assets], seed, 0.4)
    assert set(before) == {one.asset_id for one, held in zip(assets, apart, strict=True) if not held}
    with writing(settings) as session:
        for asset in assets[:10]:
            session.get_one(Asset, asset.id).removed_at = now()
    assert snapshot.take_snapshot(settings, "romance").training.asset_ids == before
    with reading(settings) as session:
        view = open_pool(settings, session)
    assert (view.positions(one.asset_id for one in assets[:10]) == -1).all()
    assert len(view.hidden) == 10


def test_a_vector_has_its_assets_title_and_key_in_whatever_order_they_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active_pool, "AT_ONCE", 3)  # so that rows come in several parts
    settings = factories.workspace(tmp_path)
    fingerprint = Fingerprint("external", "vectors", "external:0", 8)
    with reading(settings) as session:
        VectorStore(settings.vectors).append(fingerprint, ["early"], np.eye(1, 8, dtype=np.float32))
        view = active_pool.view_of(settings, session, fingerprint)
    assert (view.pool.title_ids.tolist(), view.keys.tolist()) == ([""], [-1]), "there are no records yet"
    _, _, removed, _, renamed, _, last = factories.add_assets(settings, 7)
    with writing(settings) as session:
        session.get_one(Asset, removed.id).removed_at = now()
        session.get_one(Asset, renamed.id).title_id = "Amélie à Paris"
    names = [last.asset_id, removed.asset_id, renamed.asset_id, "stray"]
    VectorStore(settings.vectors).append(fingerprint, names, np.eye(4, 8, dtype=np.float32))
    with reading(settings) as session:
        view = active_pool.view_of(settings, session, fingerprint)
    assert view.pool.asset_ids.tolist() == ["early", *names]
    assert view.keys.tolist() == [-1, last.id, -1, renamed.id, -1]
    titles = ["", last.title_id, removed.title_id, "Amélie à Paris", ""]
    assert view.pool.title_ids.tolist() == titles, "a removed asset keeps its title"
