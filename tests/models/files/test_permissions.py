"""A workspace is its owner's alone, whoever's umask; what a user asks for elsewhere goes by the user's umask."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from attune.labeler import settings as reader
from attune.labeler.catalog.restore_files import restore
from attune.labeler.cli import main
from attune.labeler.services import doctor
from attune.labeler.settings import close_workspace
from attune.models.files import permissions
from tests.support import published
from tests.support.factories import picture

ROOT = Path(__file__).resolve().parents[3]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_in(folder: Path) -> dict[str, str]:
    """What others than the owner may do something with, by its mode."""
    found = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): f"{mode(path):o}" for path in found if mode(path) & 0o077}


def attune(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("ATTUNE_")}
    environment = mine | {"ATTUNE_WORKSPACE": str(workspace), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "attune.labeler.cli.main", *words],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False, umask=0o022,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that a command made in this process, with images and vectors, under the usual umask."""
    from attune.labeler.demo import prepare

    folder = tmp_path_factory.mktemp("made")
    (folder / "images").mkdir()
    for number in range(2):
        (folder / "images" / f"{number}.jpg").write_bytes(picture(number))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in prepare.encoder_settings().items():
            patch.setenv(f"ATTUNE_{name.upper()}", value)
        patch.setenv("ATTUNE_WORKSPACE", str(folder / "workspace"))
        before = os.umask(0o022)
        permissions.begin()
        assert main.run(["assets", "add", str(folder / "images")]) == 0
        os.umask(before)
        permissions.forget()
    return folder / "workspace"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """That workspace, as a test may change it: a copy keeps all modes."""
    return Path(shutil.copytree(made, tmp_path / "workspace"))


@pytest.mark.slow
def test_a_command_leaves_nothing_in_the_workspace_that_others_may_read(workspace: Path) -> None:
    made = attune(workspace, "attribute", "create", "serious", "--question", "S?", "--classes", "yes,no")
    assert made.returncode == 0, made.stderr
    assert {"records.sqlite", "vectors"} <= {path.name for path in workspace.iterdir()}
    assert open_in(workspace) == {}


@pytest.mark.slow
def test_a_workspace_of_before_is_shut_by_the_first_command(workspace: Path) -> None:
    workspace.chmod(0o755)
    assert attune(workspace, "assets", "list").returncode == 0
    assert mode(workspace) == 0o700


@pytest.mark.slow
@pytest.mark.parametrize(
    ("umask", "modes"), [(0o022, (0o644, 0o755)), (0o002, (0o664, 0o775)), (0o077, (0o600, 0o700))]
)
def test_what_a_user_asks_for_elsewhere_goes_by_the_users_umask(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int, modes: tuple[int, int]
) -> None:
    """In this process, as `attune` begins in its own: each new one would load all that an export needs."""
    monkeypatch.setenv("ATTUNE_WORKSPACE", str(workspace))
    to = tmp_path / "for-the-team" / "vectors.parquet"
    os.umask(umask)
    permissions.begin()
    assert main.run(["vectors", "export", "--to", str(to)]) == 0
    assert (mode(to), mode(to.parent)) == modes


def test_a_catalog_elsewhere_is_for_others_and_one_in_the_workspace_is_not(tmp_path: Path) -> None:
    inside = published.workspace(tmp_path / "inside")
    restore(inside)
    assert {mode(path) for path in (inside.workspace / "catalog").rglob("*.json")} == {0o600}
    outside = published.workspace(tmp_path / "outside", catalog_url=str(tmp_path / "shared"))
    restore(outside)
    assert {mode(path) for path in (tmp_path / "shared").rglob("*.json")} == {0o644}


def test_everything_of_before_is_shut_at_a_start_without_looking_at_each_thumbnail(tmp_path: Path) -> None:
    made = tmp_path / "workspace"
    for name in ("records.sqlite", "logs/web.log", "vectors/a/0.arrow", "cache/thumbnails/ab/x.jpg"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(b"x")
        (made / name).chmod(0o664)
    (tmp_path / "elsewhere").write_bytes(b"x")
    os.symlink(tmp_path / "elsewhere", made / "link")
    before = mode(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(made)
    told = doctor.CHECKS["private"](reader.build({}, workspace=tmp_path / "link"))
    assert (told.state, "records.sqlite" in str(list(close_workspace.still_open(made)))) == ("warn", True)
    assert str(made) in told.found
    assert "chmod -R go-rwx" in told.todo
    assert close_workspace.all_of(tmp_path / "link") == 8
    assert list(close_workspace.still_open(made)) == []
    assert mode(made) == mode(made / "cache") == 0o700
    assert (mode(made / "records.sqlite"), mode(made / "vectors/a/0.arrow")) == (0o600, 0o600)
    assert mode(made / "cache/thumbnails/ab/x.jpg") == 0o664, "behind a folder that is shut"
    assert mode(tmp_path / "elsewhere") == before, "what a link leads to is not the workspace's"
    assert close_workspace.all_of(made) == 0
