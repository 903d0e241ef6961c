"""What a round leaves for the pages: once a run, again where the pool has grown, and judged by audits alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.explore import pool_scores
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading, writing
from attune.models.catalog.probe_files import ProbeWeights
from attune.models.clock import now
from attune.workers.rounds import gallery_scores, round_figures
from attune.workers.rounds.snapshot import take_snapshot
from tests.labeler.catalog import judged
from tests.workers.rounds.test_round_figures import probe_of, studio


def test_the_pool_is_scored_with_the_runs_own_probe_and_only_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = judged.filled(tmp_path / "judged")
    seen = take_snapshot(settings, "serious")
    assert gallery_scores.leave(settings, seen, 4)
    assert not gallery_scores.leave(settings, seen, 4)
    found = pool_scores.load(settings, seen.attribute)
    assert found is not None
    assert (found.summary.run, found.summary.pool) == (4, judged.ASSETS)
    # The truth of `serious` is the first dimension, which run 4 has found.
    x = seen.view.pool.rows(np.arange(judged.ASSETS))
    likely = found.rows(found.summary.top["serious"])
    assert x[seen.view.keys.searchsorted(found.keys[likely]), 0].mean() > x[:, 0].mean() + 0.2
    whole = found.probabilities
    assert gallery_scores.leave(settings, seen, 1), "another run"
    monkeypatch.setattr(gallery_scores, "AT_ONCE", 7)
    assert gallery_scores.leave(settings, seen, 4)
    again = pool_scores.load(settings, seen.attribute)
    assert again is not None
    assert np.array_equal(again.probabilities, whole), "in parts"
    assert gallery_scores.leave(settings, seen, 1)
    with writing(settings) as session:
        gone = session.scalars(select(Asset)).first()
        assert gone is not None
        gone.removed_at = now()
    assert gallery_scores.leave(settings, take_snapshot(settings, "serious"), 1), "an image left the pool"
    with reading(settings) as session:
        found = pool_scores.load(settings, attributes.find(session, "serious"))
    assert found is not None
    assert gone.id not in found.keys
    with writing(settings) as session:
        other = session.scalars(select(Asset).where(Asset.id != gone.id)).first()
        assert other is not None
        session.get_one(Asset, gone.id).removed_at, other.removed_at = None, now()
    assert gallery_scores.leave(settings, take_snapshot(settings, "serious"), 1), "as many images, but one is another"


def weights(probe: object) -> ProbeWeights:
    return ProbeWeights(probe.weight_, probe.bias_, probe.calibration_)  # type: ignore[attr-defined]


def test_of_the_highest_ranked_audit_images_it_is_counted_how_many_are_right() -> None:
    seen = studio(60, training=60)
    found = gallery_scores.ranked_right(seen, weights(probe_of(seen)))
    assert set(found) == {"yes", "no"}
    assert all(one.n == len(seen.audited) and one.of == 20 for one in found.values())
    assert all(one.right > one.chance for one in found.values())
    assert found["yes"].chance + found["no"].chance == 20
    yes = found["yes"]
    assert yes.share is not None
    assert yes.lo is not None
    assert yes.hi is not None
    assert yes.lo <= yes.share <= yes.hi
    backwards = weights(probe_of(seen))
    worse = ProbeWeights(-backwards.weight, -backwards.bias, backwards.calibration)
    assert gallery_scores.ranked_right(seen, worse)["yes"].right < found["yes"].right


def test_few_audit_answers_count_fewer_images_and_very_few_none() -> None:
    assert [gallery_scores.ranked_right(one, weights(probe_of(one)))["yes"].of for one in map(studio, (19, 25))] == [
        0,
        10,
    ]
    none = studio(0)
    assert gallery_scores.ranked_right(none, weights(probe_of(none)))["no"].n == 0


def test_only_a_draw_with_equal_chances_is_called_even(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = studio(60, training=60)
    audited, inclusion = round_figures.audit_answers(seen)
    for chances, even in ((np.full(len(inclusion), 0.4), True), (np.linspace(0.2, 0.9, len(inclusion)), False)):
        monkeypatch.setattr(round_figures, "audit_answers", lambda _, c=chances: (audited, c))
        found = gallery_scores.ranked_right(seen, weights(probe_of(seen)))
        assert {one.even for one in found.values()} == {even}
