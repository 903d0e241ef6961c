"""The export for Label Studio, imported by a real one as it is, and its own export brought back in."""

from __future__ import annotations

import json

import pytest

from attune.labeler.exchange import export_files
from attune.labeler.exchange.import_labels import import_labels
from attune.labeler.label_studio import LabelStudio
from attune.labeler.label_studio.projects import Project
from attune.labeler.records.schema import Asset, Expert
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from tests.labeler.exchange.conftest import NOON, answer
from tests.support import factories

pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_label_studio_takes_the_export_and_gives_the_same_labels_back(
    live: Settings, ls: LabelStudio, project: Project
) -> None:
    factories.add_attribute(live, "romance")
    with writing(live) as session:
        session.add_all(Expert(email=f"{name}@example.org", name=name, added_at=NOON) for name in ("eve", "kim"))
        for i in range(4):
            columns = {"width": 1, "height": 1, "columns": {}, "added_at": NOON, "digest": str(i)}
            session.add(Asset(asset_id=f"a{i}", title_id="t", uri=f"/images/{i}.jpg", **columns))
        session.flush()
        said = [(1, 1, "romance"), (1, 2, "neither"), (2, 1, "unsure"), (3, 2, "skip")]
        session.add_all(answer(None, asset, who, value, "seed", NOON) for asset, who, value in said)
    exported = export_files.export(live, "romance", "label-studio").content
    ls.request("POST", f"/api/projects/{project.id}/import", body=json.loads(exported))
    back = ls.request("GET", f"/api/projects/{project.id}/export", query={"exportType": "JSON"})
    assert len(back) == 3
    content = json.dumps(back).encode()
    # The same people, told by the export's own meta: nothing is new, as everything is there already.
    assert import_labels(live, "romance", content).counts == {"new": 0, "changed": 0, "there already": 4}
    factories.add_attribute(live, "another")
    assert import_labels(live, "another", content).counts["new"] == 4
    rows = [
        [(row.asset_id, row.expert, row.value) for row in export_files.exported(live, name).rows]
        for name in ("romance", "another")
    ]
    assert rows[0] == rows[1]
