"""What the next pages show, and when a round says that pages teach more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.answers import answer_seconds
from attune.labeler.records.run_advice import PageAdvice, RunAdvice
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.query.page_value import ROUND, Seconds
from attune.workers.rounds import pages_of_images, round_figures
from tests.support import factories
from tests.workers.rounds.test_queue_plan import task
from tests.workers.rounds.test_round_figures import probe_of, studio
from tests.workers.rounds.test_slow_figures import changed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path)


def test_pages_show_no_reserved_title_and_nothing_that_waits_in_a_queue(settings: Settings) -> None:
    seen = studio(12, training=30)
    free = np.setdiff1d(np.arange(200), [*round_figures.reserved_rows(seen), *seen.answered])
    seen = changed(seen, asked=tuple(task(key, row) for key, row in enumerate(free[:20].tolist())))
    pages = pages_of_images.made(settings, seen, [0] * 4)
    rows = np.concatenate([rows for _, rows in pages])
    assert len(rows) == len(set(rows.tolist())) == 48
    assert not set(rows.tolist()) & {*round_figures.reserved_rows(seen).tolist(), *free[:20].tolist()}


@pytest.mark.parametrize(("look", "wins"), [(0.05, True), (3.0, False)])
def test_a_round_suggests_pages_where_looks_are_quick_and_single_images_where_they_are_slow(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, look: float, wins: bool
) -> None:
    monkeypatch.setattr(answer_seconds, "expected", lambda *_: Seconds(look=look))
    seen = studio(12, training=30)
    found = pages_of_images.advice(settings, seen, probe_of(seen), None)
    assert found.is_page is wins
    assert found.answers == seen.count


def test_both_ways_are_compared_from_twenty_labels_on_and_again_after_twenty_more() -> None:
    assert not pages_of_images.due(studio(0, training=19))
    seen = studio(0, training=30)
    assert pages_of_images.due(seen)

    def after(advice: PageAdvice) -> bool:
        last = Run(attribute_id=1, number=1, advice=RunAdvice(pages=advice).to_dict())
        return pages_of_images.due(changed(seen, last_run=last))

    assert not after(PageAdvice(answers=30 - ROUND + 1, revision=1))
    assert after(PageAdvice(answers=30 - ROUND, revision=1))
    assert after(PageAdvice(answers=30, revision=0)), "another question was asked then"
    assert after(PageAdvice(answers=31, revision=1)), "answers were excluded since"


def test_the_comparison_is_kept_with_its_run(settings: Settings) -> None:
    seen = studio(0, training=30)
    romance = factories.add_attribute(settings)
    run = factories.add_run(settings, romance, answers=30, advice={"state": "labelling"})
    seen.attribute.id = romance.id
    pages_of_images.record_advice(settings, seen, run.number, probe_of(seen), None)
    with reading(settings) as session:
        kept = RunAdvice.from_dict(session.scalars(select(Run.advice)).one())
    assert kept.state == "labelling"
    assert kept.pages is not None
    assert kept.pages.single > 0
    assert kept.pages.single_seconds == round(Seconds().single, 2)
