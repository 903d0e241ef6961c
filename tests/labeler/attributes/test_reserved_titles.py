"""Which titles are reserved for audits: a lot that nobody who answers can repeat, and that never changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, secrets
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.evaluation.splits import title_folds
from attune.models.files.atomic import digest_json
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
    assert seed > 2**40, "32 bits are tried out in an hour"
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


def test_what_is_drawn_by_a_seed_of_63_bits_can_be_kept_and_split(tmp_path: Path) -> None:
    seed = 2**63 - 1
    assert AuditDesign.from_bytes(AuditDesign(seed).to_bytes()).seed == seed
    classes = np.arange(400) % 2
    assert len(list(title_folds(TITLES, classes, 3, seed))) == 3
    assert diversity_score(np.eye(4, dtype=np.float32), [True, False, True, False], seed) > 0
    settings = factories.workspace(tmp_path)
    made = factories.add_attribute(settings)
    with writing(settings) as session:
        attributes.find(session, "romance").settings = {"seed": seed}
    factories.add_run(settings, made, 10, seed=seed)
    with reading(settings) as session:
        assert attributes.find(session, "romance").settings["seed"] == seed
        assert session.query(Run).one().seed == seed
