"""The Makefile calls programs with options that they have."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CALLS = re.findall(r"python -m (benchmarks\.\w+) (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize(("module", "arguments"), CALLS, ids=[module for module, _ in CALLS])
def test_every_benchmark_of_make_bench_knows_its_options_and_writes_where_git_does_not_look(
    module: str, arguments: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    unknown = [option for option in re.findall(r"--[\w-]+", arguments) if f"{option} " not in done.stdout]
    assert not unknown, f"{module} has no {unknown}"
    assert "--json $(BENCH)/" in arguments
    assert "/bench-results/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
