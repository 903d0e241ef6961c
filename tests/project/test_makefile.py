"""The Makefile calls programs with options that they have."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CALLS = re.findall(r"python -m (benchmarks\.\w+) (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize(("module", "arguments"), CALLS, ids=[module for module, _ in CALLS])
def test_every_benchmark_of_make_bench_knows_its_options_and_writes_where_git_does_not_look(
    module: str, arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: each of its own would load torch and scikit-learn again."""
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / f"{module.replace('.', '/')}.py"), run_name="__main__")
    assert not ended.value.code
    said = capsys.readouterr().out
    unknown = [option for option in re.findall(r"--[\w-]+", arguments) if f"{option} " not in said]
    assert not unknown, f"{module} has no {unknown}"
    assert "--json $(BENCH)/" in arguments
    assert "/bench-results/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def pretend(environment: Path, clone: Path) -> None:
    """Leave in ``environment`` what pip leaves of an editable attune of ``clone``, and a Python that runs."""
    record = environment / "lib" / "python3.11" / "site-packages" / "attune-0.1.0.dist-info" / "direct_url.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"dir_info": {"editable": True}, "url": clone.as_uri()}))
    (environment / "bin").mkdir()
    (environment / "bin" / "python").symlink_to(sys.executable)


def make(*words: str) -> subprocess.CompletedProcess[str]:
    """What make says; -n where it would install, so that no test installs anything."""
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("goal", ["install", "demo", "test-quick", "lint"])
def test_another_clones_environment_is_left_alone(goal: str, tmp_path: Path) -> None:
    environment, other = tmp_path / "their venv", tmp_path / "their clone"
    pretend(environment, other)
    done = subprocess.run(
        [sys.executable, "tests/project/own_environment.py", str(environment), goal],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert str(other) in done.stderr
    assert f"make {goal} VENV={environment} TAKE=yes" in done.stderr
    plain = tmp_path / "venv"
    environment.rename(plain)
    (plain / ".installed").touch()  # newer than pyproject.toml: nothing would be installed, and their code would run
    stopped = make(goal, f"VENV={plain}")
    assert stopped.returncode != 0
    assert f"belongs to {other}" in stopped.stderr
    assert "Installing" not in stopped.stdout


def test_an_environment_of_this_clone_is_used_and_a_taken_one_installed_again(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    pretend(mine, ROOT)
    (mine / ".installed").touch()
    assert make("install", f"VENV={mine}").returncode == 0
    pretend(theirs, tmp_path / "clone")
    (theirs / ".installed").touch()
    dry = make("-n", "install", f"VENV={theirs}", "TAKE=yes")
    assert "pip install" in dry.stdout
    assert "pip install" not in make("-n", "install", f"VENV={mine}").stdout
