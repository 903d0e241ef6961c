"""What `import attune` gives: names for scripts, each loaded when it is used, with types for editors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import attune

HEAVY = {"torch", "open_clip", "numpy", "pandas", "scipy", "sklearn", "pyarrow", "requests", "sqlalchemy", "click"}


def loaded_by(code: str, folder: Path) -> set[str]:
    ask = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=folder)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import attune", "from attune import pull", "import attune; attune.AttuneError"])
def test_the_import_loads_neither_the_science_nor_the_server(code: str, tmp_path: Path) -> None:
    modules = loaded_by(code, tmp_path)
    assert "attune" in modules
    assert not HEAVY & modules


def test_a_bare_import_loads_no_room_of_attune(tmp_path: Path) -> None:
    assert {name for name in loaded_by("import attune; dir(attune)", tmp_path) if name.startswith("attune.")} == set()


def test_scoring_and_the_client_need_neither_torch_nor_scikit_learn(tmp_path: Path) -> None:
    modules = loaded_by("import attune; attune.score, attune.load_probe, attune.connect, attune.Pool", tmp_path)
    assert not {"torch", "open_clip", "sklearn", "scipy", "sqlalchemy", "flask"} & modules


def test_every_name_is_there_and_listed() -> None:
    assert set(attune.__all__) <= set(dir(attune))
    assert all(getattr(attune, name) is not None for name in attune.__all__)
    with pytest.raises(AttributeError, match="no attribute 'pulls'"):
        attune.pulls  # type: ignore[attr-defined]  # noqa: B018
