"""open_clip without transformers, timm and torch's compiler for architectures without their parts, and with them for
those that have some.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from attune.models.encoders import open_clip_table as table
from attune.models.encoders.open_clip_import import needs_others

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


@pytest.mark.slow
def test_they_are_loaded_for_what_needs_them_alone_and_come_later_too() -> None:
    pytest.importorskip("transformers")
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
