"""Runs of an older database: how many of their answers were on images that their experts chose (migration 0017)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command

from attune.labeler import settings as reader
from attune.labeler.people import visible_runs
from attune.labeler.records.schema import Grid, GridAnswer, GridPage, Pick, Run
from attune.labeler.records.session import configuration, engine, migrate, reading, writing
from attune.models.clock import now
from tests.support import databases, factories

BY_CHOICE, BY_LEARNER = "0" * 12 + "5" + "0" * 19, "0" * 12 + "4" + "0" * 19


@pytest.mark.parametrize("kind", databases.BOTH)
def test_an_older_run_tells_what_was_chosen_and_the_next_twenty_bring_a_figure(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Or experts would read no newer figure until as many more answers are given as they ever chose images."""
    url = request.getfixturevalue("postgresql")(migrated=True) if kind == "postgresql" else None
    settings = reader.build({}, workspace=tmp_path, database_url=url)
    factories.newest(settings)
    romance, ana = factories.add_attribute(settings), factories.add_expert(settings)
    queue, assets = factories.add_queue(settings, romance, ana), factories.add_assets(settings, 30)
    values = ["romance"] * 28 + ["skip", "romance"]
    answers = [factories.add_answer(settings, queue, *pair) for pair in zip(assets, values, strict=True)]
    mine = {"attribute_id": romance.id, "expert_id": ana.id, "created_at": now()}
    with writing(settings) as session:
        grid = Grid(project=99, view=1, **mine)
        session.add(grid)
        session.flush()
        for key, answer in ((BY_CHOICE, answers[0]), (BY_LEARNER, answers[1])):
            page = GridPage(grid_id=grid.id, key=key, ticked="romance", state="answered", asset_pks=[answer.asset_pk])
            page.signed_until = page.created_at = now()
            session.add(page)
            session.flush()
            session.add(GridAnswer(annotation_id=answer.id, page_id=page.id))
        for asset in (*assets[2:22], assets[28]):  # the last one is skipped
            session.add(Pick(asset_pk=asset.id, who=ana.email, **mine))
        session.add(Pick(asset_pk=assets[22].id, who="olga@example.org", **mine))
        session.merge(answers[29]).answered_at = now() + timedelta(hours=1)  # after the run
    factories.add_run(settings, romance, 28)
    engine(settings.records_url).dispose()
    command.downgrade(configuration(settings.records_url), "0016")
    migrate(settings)
    with reading(settings) as session:
        assert session.query(Run.chosen).scalar() == 1 + 20
    factories.add_run(settings, romance, 41, chosen=21)
    with reading(settings) as session:
        assert visible_runs.to_experts(session, [romance.id]) == {romance.id: [1, 2]}
    engine(settings.records_url).dispose()
