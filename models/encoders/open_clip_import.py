"""open_clip without transformers and timm where an architecture needs neither: they are a third of its import."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

PACKAGE = "open_clip"
OTHERS = ("transformers", "timm")
# Keys of an architecture's config that name a tower or a tokenizer of theirs; of CoCa they write the captions.
NAMED_BY = frozenset({"hf_model_name", "hf_tokenizer_name", "timm_model_name", "multimodal_cfg"})
_lock = threading.Lock()
_without: list[ModuleType] = []


def open_clip_for(config: Mapping[str, Any] | None) -> ModuleType:
    """open_clip with all that the architecture of ``config`` needs; None, an unknown one, may need all of it.

    What was loaded without the two is loaded anew for one that needs them; encoders of before go on working.
    """
    with _lock:
        loaded = sys.modules.get(PACKAGE)
        if not needs_others(config):
            if loaded is not None:
                return loaded
            with _absent(*OTHERS):
                _without[:] = [importlib.import_module(PACKAGE)]
            return _without[0]
        if loaded is not None and loaded in _without:
            for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
                del sys.modules[name]
        return importlib.import_module(PACKAGE)


def needs_others(config: Mapping[str, Any] | None) -> bool:
    """Whether an architecture may have a tower or a tokenizer of transformers or timm."""
    if config is None:
        return True
    parts = (config, *(part for part in config.values() if isinstance(part, Mapping)))
    return any(part.get(key) for part in parts for key in NAMED_BY)


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Modules that an import in the block does not find, as if they were not installed; loaded ones are found."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
