"""`attune labels` and `attune notices`, as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from attune.labeler.cli.main import attune
from attune.labeler.notices import notices
from attune.labeler.notices.notices import News
from attune.labeler.settings import Settings
from attune.models.errors import DataError, SettingsError, consequence
from tests.support import factories


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = factories.workspace(tmp_path / "workspace")
    factories.add_attribute(made)
    factories.add_expert(made)
    return made


def run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(attune, [*words, "--workspace", str(settings.workspace)], catch_exceptions=True)


def test_labels_go_out_and_come_in_again(settings: Settings, tmp_path: Path) -> None:
    one, two = (asset.asset_id for asset in factories.add_assets(settings, 2))
    old = tmp_path / "old.csv"
    old.write_text(f"image,expert,class\n{one},ana@example.org,romance\n{two},eve@example.org,neither\n")
    dry = run(settings, "labels", "import", "romance", str(old), "--asset-column", "image", "--dry-run", "--json")
    told = json.loads(dry.stdout)
    assert (told["dry_run"], told["new"], told["reasons"]) == (True, 1, {"unknown expert": 1})
    assert "--create-experts" in dry.stderr
    done = run(settings, "labels", "import", "romance", str(old), "--asset-column", "image", "--create-experts")
    assert done.exit_code == 0
    assert "attune learn romance" in done.stderr
    new = tmp_path / "new.parquet"
    told = json.loads(run(settings, "labels", "export", "romance", "--to", str(new), "--json").stdout)
    assert told["rows"] == 2
    again = json.loads(run(settings, "labels", "import", "romance", str(new), "--json").stdout)
    assert (again["new"], again["changed"], again["there_already"]) == (0, 0, 2)


def test_a_suffix_that_is_no_format_is_refused_before_anything_is_read(settings: Settings, tmp_path: Path) -> None:
    refused = run(settings, "labels", "export", "romance", "--to", str(tmp_path / "labels.xlsx"))
    assert isinstance(refused.exception, DataError)
    assert "--format" in str(refused.exception)


def test_notices_are_listed_and_a_test_without_a_way_out_says_so(settings: Settings) -> None:
    notices.record_news(settings, [News("k", "drift", "romance has drifted", "", "/")])
    told = json.loads(run(settings, "notices", "list", "--json").stdout)
    assert [one["title"] for one in told["notices"]] == ["romance has drifted"]
    refused = run(settings, "notices", "test")
    assert isinstance(refused.exception, SettingsError)
    assert "ATTUNE_SMTP_URL" in str(refused.exception)


@pytest.mark.parametrize("to", ["/dev/stdout", "-"])
def test_an_export_to_stdout_is_the_file_alone(settings: Settings, to: str) -> None:
    factories.add_assets(settings, 1)
    words = ["labels", "export", "romance", "--to", to, "--format", "csv"]
    command = [sys.executable, "-m", "attune.labeler.cli.main", *words, "--workspace", str(settings.workspace)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout.startswith("asset_id,")
    assert len(done.stdout.splitlines()) == 1
    assert f"written to {to}" in done.stderr
    assert not (Path(__file__).parents[3] / "-").exists()


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--json"]])
def test_an_import_that_takes_nothing_in_fails(settings: Settings, tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "l.csv").write_text("asset_id,expert,class\n1E+15,ana@example.org,romance\n")
    done = run(settings, "labels", "import", "romance", str(tmp_path / "l.csv"), *more)
    assert done.exit_code == consequence(DataError).exit_code
    assert "Skipped line 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_file_again_is_no_failure(settings: Settings, tmp_path: Path) -> None:
    (asset,) = factories.add_assets(settings, 1)
    (tmp_path / "l.csv").write_text(f"asset_id,expert,class\n{asset.asset_id},ana@example.org,romance\nzz,a,b\n")
    for _ in range(2):
        assert run(settings, "labels", "import", "romance", str(tmp_path / "l.csv")).exit_code == 0
