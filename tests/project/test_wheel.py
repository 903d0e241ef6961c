"""A wheel in an environment of its own, used from a folder with `models/`, `workers/` and `labeler/` in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "attune", "labeler", "models", "workers")
STARTS = (
    ("attune", "--version"),
    ("attune", "--help"),
    ("python", "-c", "import attune; attune.AttuneError, attune.pull, attune.Pool, attune.fit"),
    ("python", "-m", "attune.workers.runtime.schedule", "--help"),
    ("python", "-m", "attune.labeler.label_studio.install", "--help"),
)
# What `attune up` starts, as it starts it: the command and the environment are those of the installed wheel.
STARTED = """
import subprocess, sys
from pathlib import Path
from attune.labeler.services import parts
from attune.labeler.settings import build
settings = build({}, workspace=Path(sys.argv[1]))
for module in ("attune.labeler.web.serve", "attune.workers.runtime.worker", "attune.labeler.services"):
    command = [*parts.our_command(module), "--help"]
    subprocess.run(command, env=parts.our_environment(settings), cwd=sys.argv[2], check=True)
"""
BUILD = """
import sys
from setuptools import build_meta
_, to, *kinds = sys.argv  # which setuptools changes
for kind in kinds:
    getattr(build_meta, f"build_{kind}")(to)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel is made of, in a folder of its own: setuptools leaves its `build/` where it works."""
    folder = tmp_path_factory.mktemp("source")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(  # type: ignore[call-overload]
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-4000:])
    return done  # type: ignore[no-any-return]


def built(source: Path, to: Path, *kinds: str) -> Path:
    """The wheel of ``source``, and with "sdist" its source distribution, in ``to``: as pip asks setuptools for them."""
    run(sys.executable, "-c", BUILD, to, "wheel", *kinds, cwd=source)
    (wheel,) = to.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(source, tmp_path_factory.mktemp("wheel"), "sdist")


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, which borrows what Attune needs from this one."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    installed = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    borrowed = [path for path in sys.path if path.endswith("site-packages") and path != str(installed)]
    (installed / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--python", folder / "bin/python"]
    run(*pip, "install", "--no-deps", "--no-index", "--ignore-installed", "--no-warn-script-location", wheel)
    return folder


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as opened:
        return [name for name in opened.namelist() if ".dist-info/" not in name]


def test_the_wheel_holds_attune_alone_and_every_file_of_it(source: Path, wheel: Path) -> None:
    expected = {
        str(Path("attune") / path.relative_to(source))
        for room in ("labeler", "models", "workers")
        for path in (source / room).rglob("*")
        if path.is_file()
    } | {"attune/__init__.py", "attune/py.typed"}
    assert len(expected) > 400
    assert set(names(wheel)) == expected


def test_a_wheel_of_the_source_distribution_is_the_same(wheel: Path, tmp_path: Path) -> None:
    (archive,) = wheel.parent.glob("*.tar.gz")
    shutil.unpack_archive(archive, tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    (tmp_path / "wheel").mkdir()
    assert sorted(names(built(unpacked, tmp_path / "wheel"))) == sorted(names(wheel))


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A user's project whose packages have our folders' names."""
    for name in ("models", "workers", "labeler"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('{name} is somebody else\\'s')\n")
    return tmp_path


def plain() -> dict[str, str]:
    """This process's environment without what leads to the clone."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ATTUNE_", "_ATTUNE"))}


@pytest.mark.parametrize("words", STARTS, ids=lambda words: " ".join(words)[:50])
def test_it_starts_in_a_project_that_has_folders_of_the_same_names(
    environment: Path, foreign: Path, words: tuple[str, ...]
) -> None:
    assert not run(environment / "bin" / words[0], *words[1:], cwd=foreign, env=plain()).stderr


def test_there_too_it_is_the_wheels_own_code(environment: Path, foreign: Path) -> None:
    where = "import attune, attune.models; print(attune.__file__, attune.models.__file__)"
    for path in run(environment / "bin" / "python", "-c", where, cwd=foreign, env=plain()).stdout.split():
        assert Path(path).is_relative_to(environment)


def test_what_attune_up_starts_takes_nothing_from_there_either(environment: Path, foreign: Path) -> None:
    (foreign / "attune.py").write_text("raise SystemExit('attune is somebody else\\'s')\n")
    python = environment / "bin" / "python"
    done = run(python, "-P", "-c", STARTED, foreign / "workspace", foreign, cwd=foreign, env=plain())
    assert done.stdout.count("ATTUNE_*") == 3


def test_mypy_knows_the_types_behind_the_names(environment: Path, foreign: Path) -> None:
    """Asked in the wheel's environment: mypy does not follow the finder of an editable installation."""
    (foreign / "script.py").write_text(
        "import attune\n"
        "reveal_type(attune.load_probe('probe').probabilities([[1.0]]))\n"
        "attune.pull(1, to='probe')\n"
        "attune.pulls\n"
    )
    command = [sys.executable, "-m", "mypy", "--python-executable", environment / "bin" / "python"]
    # Of what others wrote numpy's types alone are asked for: to read those of all others takes a minute.
    (foreign / "mypy.ini").write_text(
        "[mypy]\nignore_missing_imports = True\nfollow_imports = skip\n"
        "[mypy-attune.*,numpy.*]\nfollow_imports = silent\n"
    )
    command += ["--config-file", foreign / "mypy.ini", "--cache-dir", foreign / "cache", "script.py"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, cwd=foreign, env=plain())
    assert "ndarray" in done.stdout
    assert 'Argument 1 to "pull" has incompatible type "int"' in done.stdout
    assert 'no attribute "pulls"' in done.stdout.replace("Module has no", "no")
