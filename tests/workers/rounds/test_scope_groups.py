"""The groups that a round leaves: never of reserved titles or answered images, and the same until twenty answers on."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import select, update

from attune.labeler.answers import own_errors, tickless_pages
from attune.labeler.explore import pool_scores
from attune.labeler.records.schema import Annotation, Attribute, Run, ScopeDecision
from attune.labeler.records.session import reading, writing
from attune.labeler.scope import groups
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.scope.group_settings import GroupSettings
from attune.workers.rounds import gallery_scores, scope_groups
from attune.workers.rounds.snapshot import Snapshot, take_snapshot
from tests.labeler.catalog import judged


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A question with answers and a run, whose scores are left for the pages."""
    settings = judged.filled(tmp_path_factory.mktemp("judged") / "workspace")
    gallery_scores.leave(settings, take_snapshot(settings, "serious"), 4)
    return settings


def left(settings: Settings) -> list[list[int]]:
    with reading(settings) as session:
        attribute = session.scalars(select(Attribute).where(Attribute.name == "serious")).one()
        kept = groups.load(session, attribute)
    return [list(one) for one in kept.groups] if kept else []


def rows(seen: Snapshot, keys: list[int]) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.isin(seen.view.keys, keys)).astype(np.intp)


def test_groups_hold_no_image_of_a_reserved_title_and_none_that_was_answered(filled: Settings) -> None:
    seen = take_snapshot(filled, "serious")
    scope_groups.leave(filled, seen, 4)
    found = left(filled)
    assert found, "or nothing below is tested"
    every = [key for keys in found for key in keys]
    assert len(set(every)) == len(every)
    assert not pool_reserved_mask(seen.view.pool, rows(seen, every), seen.learner.reserved_share, seen.seed).any()
    with reading(filled) as session:
        mine = select(Annotation.asset_pk).where(Annotation.attribute_id == seen.attribute.id)
        assert not set(every) & set(session.scalars(mine))
    assert all(GroupSettings().smallest <= len(keys) <= GroupSettings().size for keys in found)
    shutil.copytree(filled.workspace / "cache", filled.workspace / "kept")
    shutil.rmtree(filled.workspace / "cache")
    shutil.copytree(filled.workspace / "kept" / "pool-scores", filled.workspace / "cache" / "pool-scores")
    assert not scope_groups.leave(filled, seen, 4), "they hold, also when the cache was lost"
    assert left(filled) == found


def test_they_hold_until_twenty_answers_to_what_was_asked(filled: Settings) -> None:
    """A run of answers that an expert chose to give would tell, by other groups, that the probe has learned of them."""
    seen = take_snapshot(filled, "serious")
    scope_groups.leave(filled, seen, 4)
    with writing(filled) as session:
        session.execute(update(Run).where(Run.number == 4).values(answers=Run.answers + 40, chosen=Run.chosen + 40))
    assert not scope_groups.leave(filled, seen, 4)
    with writing(filled) as session:
        session.execute(update(Run).where(Run.number == 4).values(answers=Run.answers + 20))
    assert scope_groups.leave(filled, seen, 4)


def test_an_answer_taken_back_and_given_again_brings_no_other_groups(filled: Settings) -> None:
    """Else an expert could have them made at will, and see whether the probe has learned from one answer."""
    seen = take_snapshot(filled, "serious")
    scope_groups.leave(filled, seen, 4)
    with writing(filled) as session:
        session.execute(update(Run).where(Run.number == 4).values(answers=Run.answers + 20))
    assert scope_groups.leave(filled, seen, 4)
    for change in (-20, 20):
        with writing(filled) as session:
            session.execute(update(Run).where(Run.number == 4).values(answers=Run.answers + change))
        assert not scope_groups.leave(filled, seen, 4)


def test_of_titles_that_are_not_reserved_half_are_in_no_group(filled: Settings) -> None:
    """Who knows the pool but not the secret cannot tell one that is left out from one that is reserved."""
    seen = take_snapshot(filled, "serious")
    scores = pool_scores.load(filled, seen.attribute)
    assert scores is not None
    by_key: list[set[str]] = []
    for secret in ("one", "another"):
        every = [key for keys in scope_groups.find(seen, scores, [], secret) for key in keys]
        by_key.append(set(seen.view.pool.title_ids[rows(seen, every)].tolist()))
        assert by_key[-1], "or nothing is tested"
        assert all(own_errors.in_half(secret, f"scope:{seen.attribute.id}:{title}") for title in by_key[-1])
    assert by_key[0] != by_key[1]


def test_no_group_has_an_image_of_one_that_was_decided(filled: Settings) -> None:
    seen = take_snapshot(filled, "serious")
    scope_groups.leave(filled, seen, 4)
    first, before = left(filled)[0], {tuple(keys) for keys in left(filled)}
    with writing(filled) as session:
        columns = {"revision": 1, "who": "olga", "said": "all", "ticked": [], "decided_at": now()}
        session.add(ScopeDecision(attribute_id=seen.attribute.id, once="1", shown=first, **columns))
        session.execute(update(Run).where(Run.number == 4).values(answers=Run.answers + 20))
    assert scope_groups.leave(filled, seen, 4)
    after = left(filled)
    assert not set(first) & {key for keys in after for key in keys}
    assert {tuple(keys) for keys in after} != before


def test_the_order_in_a_group_does_not_follow_the_probe(filled: Settings) -> None:
    seen = take_snapshot(filled, "serious")
    scope_groups.leave(filled, seen, 4)
    scores = pool_scores.load(filled, seen.attribute)
    assert scores is not None
    groups_p = [scores.probabilities[scores.rows(keys), 0] for keys in left(filled)]
    assert not all((np.diff(np.argsort(p)) == 1).all() for p in groups_p)
    middles = [np.median(p) for p in groups_p]
    turns = [(p > middle)[1:] != (p > middle)[:-1] for p, middle in zip(groups_p, middles, strict=True)]
    assert not all(one.all() for one in turns), "the sides of the line would take turns"


def test_without_scores_there_are_no_groups(tmp_path: Path) -> None:
    settings = judged.filled(tmp_path / "judged")
    assert not scope_groups.leave(settings, take_snapshot(settings, "serious"), 4)
    assert left(settings) == []


def test_how_long_pages_took_makes_no_other_probe(filled: Settings) -> None:
    before = take_snapshot(filled, "serious").digest
    with writing(filled) as session:
        one = session.scalars(select(Attribute).where(Attribute.name == "serious")).one()
        one.settings = one.settings | {tickless_pages.KEY: {"k": [7.5, 12]}}
    assert take_snapshot(filled, "serious").digest == before
