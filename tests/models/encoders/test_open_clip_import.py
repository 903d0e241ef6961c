"""open_clip without transformers, timm and torch's compiler for architectures without their parts, and with them for
those that have some.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from attune.models.encoders import open_clip_import
from attune.models.encoders import open_clip_table as table
from attune.models.encoders.open_clip_import import needs_others, open_clip_for

CODE = """
import sys
from attune.models.encoders import open_clip_table as table
from attune.models.encoders.open_clip_import import open_clip_for
plain = open_clip_for(table.config_of("ViT-B-32"))
assert not [name for name in sys.modules if name.partition(".")[0] in ("transformers", "timm")]
assert "torch._dynamo" not in sys.modules and "torch._dynamo.utils" not in sys.modules
assert open_clip_for(table.config_of("ViT-L-14")) is plain
whole = open_clip_for(table.config_of("roberta-ViT-B-32"))
assert sys.modules["open_clip.hf_model"].transformers and sys.modules["open_clip.timm_model"].timm
taken = sys.modules["torchvision.ops.roi_align"].is_compile_supported
assert taken("cpu") == sys.modules["torch._dynamo.utils"].is_compile_supported("cpu"), "there once it is asked for"
assert open_clip_for(None) is whole and open_clip_for(table.config_of("ViT-B-32")) is whole
"""


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("ViT-B-32", False),
        ("ViT-SO400M-14-SigLIP-384", True),
        ("roberta-ViT-B-32", True),
        ("convnext_base", True),
        ("coca_ViT-B-32", True),
        ("RN50", False),
    ],
)
def test_an_architecture_says_whether_it_needs_them(name: str, needed: bool) -> None:
    assert needs_others(table.config_of(name)) == needed


def test_an_unknown_architecture_may_need_all() -> None:
    assert needs_others(None)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package that is imported in the place of open_clip, with a part that asks for one of the hidden."""
    folder = tmp_path / "made_up_clip"
    folder.mkdir()
    (folder / "part.py").write_text("try:\n    import timm_made_up as timm\nexcept ImportError:\n    timm = None\n")
    (tmp_path / "timm_made_up.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the package is written anew within a second
    monkeypatch.setattr(open_clip_import, "PACKAGE", folder.name)
    monkeypatch.setattr(open_clip_import, "OTHERS", ("timm_made_up",))
    monkeypatch.setattr(open_clip_import, "_without", [])
    yield folder
    for name in [name for name in sys.modules if name.startswith((folder.name, "timm_made_up"))]:
        del sys.modules[name]


def test_an_import_that_failed_leaves_no_part_without_its_libraries(package: Path) -> None:
    (package / "__init__.py").write_text("from . import part\nraise OSError('disk')\n")
    with pytest.raises(OSError, match="disk"):
        open_clip_for({})
    (package / "__init__.py").write_text("from . import part\n")
    importlib.invalidate_caches()
    assert open_clip_for(None).part.timm is not None


def test_what_another_thread_still_imports_is_waited_for(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = ModuleType("gate_made_up")
    vars(gate).update(begun=threading.Event(), go=threading.Event())
    monkeypatch.setitem(sys.modules, gate.__name__, gate)
    code = "import gate_made_up as gate\ngate.begun.set()\ngate.go.wait(30)\nready = True\n"
    (package / "__init__.py").write_text(code)
    other = threading.Thread(target=importlib.import_module, args=(package.name,))
    other.start()
    assert gate.begun.wait(30)
    threading.Timer(0.05, gate.go.set).start()
    assert open_clip_for({}).ready
    other.join(30)


@pytest.mark.slow
def test_they_are_loaded_for_what_needs_them_alone_and_come_later_too() -> None:
    pytest.importorskip("transformers")
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
