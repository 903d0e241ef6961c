"""The list that a round leaves behind: planted mistakes first, never an audit, nothing on too few answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.exchange import import_labels
from attune.labeler.exchange.import_files import Columns
from attune.labeler.jobs.jobs import quiet
from attune.labeler.people import experts
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import LabelError
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.label_errors import errors_page
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.evaluation.audit_design import reserved_mask
from attune.models.labels.answers import AUDIT, UNSURE, Answer
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import learn
from attune.workers.rounds import label_errors
from attune.workers.rounds.snapshot import Snapshot
from tests.support import factories
from tests.support.services import EMAIL, PASSWORD
from tests.workers.rounds.test_queue_plan import NOON, VIEW, N
from tests.workers.rounds.test_round_figures import studio
from tests.workers.rounds.test_slow_figures import changed

FLIP = {"yes": "no", "no": "yes"}


def planted(seen: Snapshot, assets: set[str]) -> Snapshot:
    answers = tuple(replace(one, value=FLIP[one.value]) if one.asset_id in assets else one for one in seen.answers)
    return changed(seen, answers=answers)


def clearest(seen: Snapshot, n: int) -> set[str]:
    """The training images that say most clearly what they are."""
    place = {f"a{row}": abs(float(x)) for row, x in enumerate(VIEW.pool.rows(np.arange(N))[:, 0])}
    mine = [one.asset_id for one in seen.answers if one.purpose != AUDIT]
    return set(sorted(mine, key=lambda asset: -place[asset])[:n])


def test_planted_mistakes_are_the_first_of_the_list() -> None:
    seen = studio(0, training=100)
    wrong = clearest(seen, 4)
    found = label_errors.suspected(planted(seen, wrong), None)
    assert {one.asset_id for one in found[:4]} == wrong
    assert all(one.probe > 0.8 for one in found[:4])


def test_what_measures_the_probe_is_never_on_the_list() -> None:
    seen = studio(30, training=100)
    audits = {one.asset_id for one in seen.answers if one.purpose == AUDIT}
    chosen = [
        Answer(asset, f"t{asset[1:]}", "e2@x.org", FLIP[next(o.value for o in seen.answers if o.asset_id == asset)],
               "import", NOON)
        for asset in sorted(audits)
    ]  # fmt: skip
    wrong = clearest(seen, 3)
    both = changed(planted(seen, wrong | audits), answers=(*planted(seen, wrong | audits).answers, *chosen))
    found = {one.asset_id for one in label_errors.suspected(both, None)}
    assert wrong <= found
    assert not found & audits


def test_too_few_answers_or_none_but_unsure_ones_make_no_list() -> None:
    assert label_errors.suspected(studio(0, training=0), None) == []
    assert label_errors.suspected(studio(0, training=5), None) == []
    seen = studio(0, training=40)
    unsure = tuple(replace(one, value=UNSURE) for one in seen.answers)
    assert label_errors.suspected(changed(seen, answers=unsure), None) == []


def test_another_expert_who_agrees_with_a_suspected_answer_takes_it_further_down() -> None:
    seen = studio(0, training=100)
    wrong = clearest(seen, 2)
    told = planted(seen, wrong)
    backed = min(wrong)
    again = next(replace(one, expert="e2@x.org") for one in told.answers if one.asset_id == backed)
    before = {one.asset_id: one.right for one in label_errors.suspected(told, None)}
    after = {
        one.asset_id: one.right for one in label_errors.suspected(changed(told, answers=(*told.answers, again)), None)
    }
    assert after.get(backed, 1.0) > before[backed]


def test_it_is_kept_for_the_pages_as_far_as_the_answers_are_still_the_same(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    attribute = factories.add_attribute(settings, classes=["yes", "no"])
    ana = factories.add_expert(settings, "e1@x.org")
    queue = factories.add_queue(settings, attribute, ana)
    seen = planted(studio(0, training=100), wrong := clearest(studio(0, training=100), 3))
    seen.attribute.id = attribute.id
    given = {one.asset_id: one.value for one in seen.answers}
    changed_since = min(wrong)
    for asset, name in zip(factories.add_assets(settings, 3), sorted(wrong), strict=True):
        with writing(settings) as session:
            session.get_one(type(asset), asset.id).asset_id = name
        value = FLIP[given[name]] if name == changed_since else given[name]
        factories.add_answer(settings, queue, asset, value)
    assert label_errors.record(settings, seen, 4, None) == 2
    with reading(settings) as session:
        rows = session.scalars(select(LabelError).order_by(LabelError.place)).all()
    assert [(row.run, row.place) for row in rows] == [(4, 1), (4, 2)]
    assert all(row.expected == FLIP[row.given] and row.right < 0.5 < row.probe for row in rows)


def test_a_learned_round_leaves_the_list_behind_or_the_next_one_where_its_worker_was_killed(
    live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = factories.add_assets(live, 120, per_title=1)
    x = np.random.default_rng(1).standard_normal((120, 8)).astype(np.float32)
    x[:, 0] = np.where(x[:, 0] > 0, 4, -4)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 8)
    VectorStore(live.vectors).append(
        made, [one.asset_id for one in assets], x / np.linalg.norm(x, axis=1, keepdims=True)
    )
    with writing(live) as session:
        activate(session, made)
        kept = attributes.create(session, Definition("tender", "Tender?", ["tender", "other"]), live).settings
    apart = reserved_mask([one.title_id for one in assets], kept["seed"], kept["reserved_share"])
    wrong = {assets[row].asset_id for row in np.flatnonzero(~apart)[:3]}
    value = {one.asset_id: "tender" if row[0] > 0 else "other" for one, row in zip(assets, x, strict=True)}
    value |= {asset: "other" if value[asset] == "tender" else "tender" for asset in wrong}
    file = "asset_id,expert,class\n" + "".join(f"{asset},{EMAIL},{said}\n" for asset, said in value.items())
    experts.add(live, EMAIL, ["tender"], password=PASSWORD)
    import_labels.import_labels(live, "tender", file.encode(), Columns(), False, who="olga")
    with monkeypatch.context() as patched:
        patched.setattr(label_errors, "record", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            learn.run(live, quiet, "tender", size=12)
    assert learn.run(live, quiet, "tender", size=12)["state"] == "nothing new"
    listed = errors_page(live, Viewer("owner", "olga@example.org"), "tender").found.items
    assert {one.picture.asset_id for one in listed} == wrong
    assert all(one.probe > 0.9 for one in listed)
