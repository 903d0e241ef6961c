"""Caches that nothing reads any more are deleted, and no others."""

from __future__ import annotations

from pathlib import Path

from attune.labeler.settings import build, old_caches


def test_old_caches_go_and_the_others_stay(tmp_path: Path) -> None:
    settings = build({}, workspace=tmp_path)
    for name in ("clusters", "scope-groups", "thumbnails"):
        (settings.workspace / "cache" / name).mkdir(parents=True)
        (settings.workspace / "cache" / name / "1.json").write_text("{}")
    assert old_caches.delete(settings) == 2
    assert [one.name for one in (settings.workspace / "cache").iterdir()] == ["thumbnails"]
    assert old_caches.delete(settings) == 0
