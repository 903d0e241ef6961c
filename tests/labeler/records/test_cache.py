"""What is kept of the records is forgotten at the very next commit, whichever process makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from attune.labeler import settings as reader
from attune.labeler.people import tokens
from attune.labeler.records.cache import CommitCache, moment
from attune.labeler.settings import Settings
from attune.labeler.settings import secrets as keys
from tests.support import factories


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = reader.build(workspace=tmp_path / "w")
    factories.newest(made)
    return made


def elsewhere(settings: Settings, code: str) -> None:
    """Run ``code`` in another process with ``settings`` at hand."""
    head = (
        "from attune.labeler import settings as r\nfrom attune.labeler.people import tokens\n"
        f"s = r.build(workspace={str(settings.workspace)!r})\n"
    )
    subprocess.run([sys.executable, "-c", head + code], check=True)


def test_an_answer_is_asked_once_until_somebody_commits(settings: Settings) -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(1)
        return len(asked)

    kept: CommitCache[int] = CommitCache()
    first = [kept.get(settings.records_url, "one", ask) for _ in range(3)]
    tokens.issue(settings, "nightly")
    assert (first, kept.get(settings.records_url, "one", ask)) == ([1, 1, 1], 2)


def test_a_commit_of_another_process_is_seen(settings: Settings) -> None:
    before = moment(settings.records_url)
    assert moment(settings.records_url) == before
    elsewhere(settings, "tokens.issue(s, 'other')")
    assert moment(settings.records_url) != before


def test_a_token_revoked_in_another_process_opens_nothing_from_then_on(settings: Settings) -> None:
    secrets = keys.load(settings.secrets)
    text = tokens.issue(settings, "nightly")
    assert [tokens.bearer(settings, secrets, text) is not None for _ in range(2)] == [True, True]
    elsewhere(settings, "tokens.revoke(s, 'nightly')")
    assert tokens.bearer(settings, secrets, text) is None


def test_nothing_found_is_asked_again(settings: Settings) -> None:
    found: list[str | None] = [None, "it"]
    kept: CommitCache[str | None] = CommitCache()
    assert [kept.get(settings.records_url, "one", lambda: found.pop(0)) for _ in range(2)] == [None, "it"]


def test_other_databases_are_always_asked() -> None:
    assert moment("postgresql+psycopg://nobody@127.0.0.1/none") is None
