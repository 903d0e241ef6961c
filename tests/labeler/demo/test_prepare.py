"""What the demo finds in a workspace of before."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler.demo import prepare
from tests.support import factories


@pytest.mark.parametrize(("classes", "warns"), [(["yes", "no"], True), (["serious", "not serious"], False)])
def test_a_demo_workspace_with_the_classes_of_before_is_named(tmp_path: Path, classes: list[str], warns: bool) -> None:
    settings = factories.workspace(tmp_path / "workspace")
    assert prepare.old_classes(settings) == ""
    factories.add_attribute(settings, "serious-expression", classes=classes)
    told = prepare.old_classes(settings)
    assert ("serious-expression has the classes yes, no" in told, "--workspace" in told) == (warns, warns)
