"""A learning round on a real PostgreSQL, of an attribute as it is made with the settings that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import engine, writing
from tests.support.databases import MakeUrl
from tests.workers.rounds.test_revised import CLASSES, learned, workspace

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]


@pytest.mark.usefixtures("titles_by_secret_lot")
def test_a_round_is_kept_with_the_seed_that_every_new_attribute_gets(postgresql: MakeUrl, tmp_path: Path) -> None:
    """PostgreSQL refuses in an INTEGER what SQLite takes: every round failed, and nobody got a queue."""
    settings, queue = workspace(tmp_path, postgresql())
    try:
        with writing(settings) as session:
            made = attributes.create(
                session, Definition("drama", "Is it drama?", tuple(CLASSES), "As it says."), settings
            )
            session.get_one(Attribute, queue.attribute_id).settings = made.settings
            seed = made.settings["seed"]
        run = learned(settings, queue)
        assert (run.number, run.answers, run.seed) == (1, 90, attributes.kept_with_runs(seed))
    finally:
        engine(settings.records_url).dispose()
