"""The counts of the house see what a reader would count by hand, whichever import names the tree has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.house_counts import counts

FILES = {
    "labeler/a.py": "from {p}labeler import b\nfrom {p}labeler.views import page\n\n# a comment\n",
    "labeler/b.py": "def late():\n    from {p}labeler.a import late\n",
    "labeler/jobs/__init__.py": "",
    "labeler/jobs/jobs.py": 'KINDS = "{p}workers.learn:run"\n',
    "labeler/views/page.py": "class Page:\n    def f(self, a, b, c, d, e, *f, g, h, **i): ...\n    def g(self): ...\n",
    "labeler/cli/page.py": "from {p}labeler.views import page\n",
    "workers/learn.py": '"""Two\n\nlines."""\nfrom {p}labeler.jobs import jobs\nbag: dict[str, Any]\n',
    "models/__init__.py": "",
    "models/py.typed": "",
    "labeler/label_studio/django/views.py": "import django\n",
}


@pytest.fixture(params=["", "attune."])
def found(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content.replace("{p}", request.param))
    if request.param:
        (tmp_path / "attune").mkdir()
        (tmp_path / "attune" / "labeler").symlink_to("../labeler")
    return counts(tmp_path)


def test_files_are_counted_once_and_other_programs_not_at_all(found: dict[str, Any]) -> None:
    assert found["modules"]["count"] == 8
    assert found["lines left out"]["count"] == 1
    assert found["loose modules in labeler"]["where"] == ["labeler/a.py", "labeler/b.py"]
    assert found["modules with a folder's name"]["where"] == ["labeler/jobs/jobs.py"]
    page = "page.py: labeler/cli/page.py labeler/views/page.py"
    assert found["... as a noun and its view, page, command, API"]["where"] == [page]


def test_a_circle_is_told_from_one_that_closes_later(found: dict[str, Any]) -> None:
    assert found["circles of imports: at the top"]["where"] == []
    late = "2: labeler.a labeler.b"
    assert found["circles of imports: also inside functions or for types"]["where"] == [late]
    assert found["circles of imports: also by dotted strings"]["where"] == [late, "2: labeler.jobs.jobs workers.learn"]


def test_views_bags_parameters_and_lines(found: dict[str, Any]) -> None:
    assert found["views imported from outside"]["where"] == ["labeler/a.py <- labeler.views.page"]
    assert found["dict[str, Any]"]["where"] == ["workers/learn.py"]
    assert found["functions with over 8 parameters"]["where"] == ["labeler/views/page.py:2 f: 9"]
    assert (found["lines of code"]["count"], found["lines of code without docstrings"]["count"]) == (13, 11)
