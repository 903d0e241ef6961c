"""What docs/ says of the code is what the code says."""

from __future__ import annotations

import pytest

from tests.project.reference import COMMAND, DOCS, PAGES, text_of


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    path = DOCS / name
    assert path.exists(), f"docs/{name} does not exist. Run: {COMMAND}"
    assert path.read_text(encoding="utf-8") == text_of(name), f"docs/{name} is stale. Run: {COMMAND}"


def test_every_command_setting_path_and_kind_of_job_is_on_its_page() -> None:
    from dataclasses import fields

    from attune.labeler.cli.main import COMMANDS
    from attune.labeler.jobs.jobs import KINDS
    from attune.labeler.settings.table import Settings, variable
    from attune.labeler.web.api import describe

    named = {
        "reference/commands.md": [f"attune {name}" for name in COMMANDS],
        "reference/settings.md": [f"`{variable(one.name)}`" for one in fields(Settings)],
        "reference/http-api.md": [f"{path}`" for path in describe()["paths"]],
        "reference/jobs.md": [f"\n## {kind}\n" for kind in KINDS],
    }
    for page, words in named.items():
        text = text_of(page)
        assert [word for word in words if word not in text] == [], page
