"""Which titles are reserved for audits: a lot that nobody who answers can repeat, and that never changes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from attune.labeler.attributes import attributes, audit_lot
from attune.labeler.attributes.attributes import Definition
from attune.labeler.records.schema import Run, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, secrets
from attune.models.errors import DataError
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.evaluation.splits import title_folds
from attune.models.files.atomic import digest_json
from attune.models.labels.answers import AUDIT
from attune.models.query.diversity import diversity_score
from tests.support import factories

TITLES = np.array([f"title {number}" for number in range(400)])


def create(settings: Settings, name: str) -> int:
    with writing(settings) as session:
        made = attributes.create(session, Definition(name, "Yes or no?", ("yes", "no")), settings)
        return int(made.settings["seed"])


@pytest.mark.usefixtures("titles_by_secret_lot")
def test_nobody_can_work_out_which_titles_are_reserved(tmp_path: Path) -> None:
    """A digest of public settings told every expert who had the source which images were audits."""
    one, other = factories.workspace(tmp_path / "one"), factories.workspace(tmp_path / "other")
    seed = create(one, "tender")
    public = int(digest_json([one.seed])[:8], 16)
    assert seed != public
    assert seed > 2**128, "32 bits are tried out in an hour, and 64 are what a few people can afford"
    assert seed == create(one, "serious"), "all attributes of a workspace reserve the same titles"
    assert seed != create(other, "tender")
    drawn = reserved_mask(TITLES, seed, 0.2)
    assert 40 < drawn.sum() < 120
    assert (drawn != reserved_mask(TITLES, public, 0.2)).any()


@pytest.mark.usefixtures("titles_by_secret_lot")
def test_a_workspace_of_before_keeps_the_titles_of_its_attributes(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    factories.add_attribute(settings)
    with writing(settings) as session:
        attributes.find(session, "romance").settings = {"seed": 7, "reserved_share": 0.2, "strategy": "attune"}
    (tmp_path / "secrets.json").write_text(json.dumps({"session_key": "kept"}))
    new = create(settings, "tender")
    assert secrets.load(settings.secrets).session_key == "kept"
    with reading(settings) as session:
        assert attributes.find(session, "romance").settings["seed"] == 7
    assert create(settings, "serious") == new


def test_titles_are_drawn_by_all_bits_of_the_seed() -> None:
    drawn = [reserved_mask(TITLES, seed, 0.2).tolist() for seed in (7, 7 + 2**63, 7 + 2**159)]
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]
    ids = TITLES.tolist()
    picked = [AuditDesign(seed).extend(ids, ids, None, 9) for seed in (7, 7 + 2**63, 7 + 2**159)]
    assert picked[0] != picked[1] != picked[2] != picked[0]


def test_a_design_that_an_older_release_kept_is_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.savez_compressed(out, seed=np.array(7, dtype=np.int64), ids=np.array(["a"]), inclusion=np.array([0.5]))
    held = AuditDesign.from_bytes(out.getvalue())
    assert (held.seed, held.inclusion("a")) == (7, 0.5)


@pytest.mark.usefixtures("titles_by_secret_lot")
def test_titles_are_drawn_anew_while_no_audit_was_answered(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    romance = factories.add_attribute(settings)
    before = {"seed": 7, "reserved_share": 0.2, "strategy": "attune"}
    with writing(settings) as session:
        found = attributes.find(session, "romance")
        found.settings, found.audit_state = before, AuditDesign(7).to_bytes()
    factories.add_run(settings, romance, 40)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    waits, answered = factories.add_assets(settings, 2)
    task = factories.add_task(settings, queue, waits, AUDIT, inclusion=0.5)
    assert audit_lot.redraw(settings, "romance")
    with reading(settings) as session:
        found = attributes.find(session, "romance")
        assert found.settings["seed"] == attributes.audit_seed(settings)
        assert (found.audit_state, found.settings[attributes.REDRAWN]) == (None, 1)
        assert (session.get_one(Task, task.id).purpose, session.get_one(Task, task.id).inclusion) == ("spread", None)
    assert not audit_lot.redraw(settings, "romance")
    with writing(settings) as session:
        attributes.find(session, "romance").settings = before
    factories.add_answer(settings, queue, answered, "romance", AUDIT)
    with pytest.raises(DataError, match="has audit answers"):
        audit_lot.redraw(settings, "romance")


def test_what_is_drawn_by_a_seed_of_160_bits_can_be_kept_and_split(tmp_path: Path) -> None:
    seed = 2**160 - 1
    assert AuditDesign.from_bytes(AuditDesign(seed).to_bytes()).seed == seed
    classes = np.arange(400) % 2
    assert len(list(title_folds(TITLES, classes, 3, seed))) == 3
    assert diversity_score(np.eye(4, dtype=np.float32), [True, False, True, False], seed) > 0
    settings = factories.workspace(tmp_path)
    made = factories.add_attribute(settings)
    with writing(settings) as session:
        attributes.find(session, "romance").settings = {"seed": seed}
    factories.add_run(settings, made, 10, seed=attributes.kept_with_runs(seed))
    with reading(settings) as session:
        assert attributes.find(session, "romance").settings["seed"] == seed
        assert session.query(Run).one().seed == 2**63 - 1
