"""Pages come from the plan of single images: nothing that was asked, hidden or reserved, and no image twice."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.probes import page_plan
from attune.models.probes.learner import LearnerSettings, fit
from attune.models.probes.page_plan import Candidates
from attune.models.query.page_value import Seconds
from tests.models.worlds import world

SETTINGS = LearnerSettings(audit_share=0.0, reserved_share=0.3)
SEED = 3


def candidates(classes: int, n: int, hidden: tuple[int, ...] = ()) -> tuple[Candidates, np.ndarray]:
    here, asked = world(classes=classes), np.arange(0, 60)
    labels = here.labels(asked)
    probe = fit(here.pool, labels, here.classes, None, SETTINGS, SEED)
    found = page_plan.candidates(here.pool, probe, labels, asked, n, SETTINGS, SEED, hidden=hidden)
    every = np.arange(len(here.pool))
    shut = np.concatenate([asked, hidden, every[pool_reserved_mask(here.pool, every, 0.3, SEED)]])
    return found, shut


@pytest.mark.parametrize("classes", [2, 3])
def test_no_page_shows_what_was_asked_hidden_or_is_kept_for_audits(classes: int) -> None:
    found, shut = candidates(classes, 150, hidden=(70, 71, 72))
    positions = [*range(classes)] * 2 if classes > 2 else [0] * 5
    pages = page_plan.pages(found, positions, 12, 24, Seconds(), np.random.default_rng(0))
    rows = np.concatenate([rows for _, rows in pages])
    assert sorted(position for position, _ in pages) == sorted(positions)
    assert all(len(rows) == 12 for _, rows in pages)
    assert len(np.unique(rows)) == len(rows)
    assert not np.isin(rows, shut).any()


def test_a_place_on_a_page_tells_nothing_of_the_image() -> None:
    found, _ = candidates(2, 96)
    ((_, rows),) = page_plan.pages(found, [0], 24, 24, Seconds(), np.random.default_rng(0))
    best = found.rows[found.page(0, 24, Seconds()).places]
    assert sorted(rows) == sorted(best)
    assert rows.tolist() != best.tolist()


def test_where_images_run_out_the_last_pages_are_short_or_missing() -> None:
    found = Candidates(np.arange(20), np.ones(20), np.full((20, 2), 0.5))
    pages = page_plan.pages(found, [0, 0, 0], 12, 24, Seconds(), np.random.default_rng(0))
    assert [len(rows) for _, rows in pages] == [12, 8]


def test_a_page_wins_among_clear_images_and_not_with_those_that_wait_in_queues() -> None:
    """The clear ones wait for single answers: what is left for a page is what takes long."""
    p = np.repeat([0.02, 0.5], 48)
    found = Candidates(np.arange(96), np.ones(96), np.column_stack([p, 1 - p]))
    assert page_plan.choose(found, [0], 24, Seconds()).is_page
    assert not page_plan.choose(found, [0], 24, Seconds(), waiting=np.arange(48)).is_page
