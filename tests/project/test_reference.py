"""docs/reference says what the code says."""

from __future__ import annotations

import pytest

from tests.project.reference import COMMAND, FOLDER, PAGES, text_of


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    path = FOLDER / name
    assert path.exists(), f"docs/reference/{name} does not exist. Run: {COMMAND}"
    assert path.read_text(encoding="utf-8") == text_of(name), f"docs/reference/{name} is stale. Run: {COMMAND}"


def test_every_command_setting_path_and_kind_of_job_is_on_its_page() -> None:
    from dataclasses import fields

    from attune.labeler.cli.main import COMMANDS
    from attune.labeler.jobs.jobs import KINDS
    from attune.labeler.settings.table import Settings, variable
    from attune.labeler.web.openapi import describe

    named = {
        "commands.md": [f"attune {name}" for name in COMMANDS],
        "settings.md": [f"`{variable(one.name)}`" for one in fields(Settings)],
        "http-api.md": [f"{path}`" for path in describe()["paths"]],
        "jobs.md": [f"\n## {kind}\n" for kind in KINDS],
    }
    for page, words in named.items():
        text = text_of(page)
        assert [word for word in words if word not in text] == [], page
