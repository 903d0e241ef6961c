"""open_clip without what an architecture has no part of: transformers, timm, torch's compiler; most of its import."""

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
# torchvision takes one function of it by name, for an operation that we never use.
COMPILER, TAKEN = "torch._dynamo.utils", "is_compile_supported"
_lock = threading.Lock()
_without: list[ModuleType] = []


def open_clip_for(config: Mapping[str, Any] | None) -> ModuleType:
    """open_clip with all that the architecture of ``config`` needs; None, an unknown one, may need all of it.

    What was loaded without them is loaded anew for one that needs them; encoders of before go on working. For programs
    of ours alone: another's own models of open_clip may need all of it. While it is loaded without them, a thread that
    imports one of them elsewhere gets ModuleNotFoundError ("import of timm halted"), and may try again.
    """
    with _lock:
        loaded = sys.modules.get(PACKAGE)
        if not needs_others(config):
            if loaded is not None:
                return importlib.import_module(PACKAGE)  # waits for a thread that still imports it
            with _absent(*OTHERS), _compiler_later():
                _without[:] = [_imported()]
            return _without[0]
        if loaded is not None and loaded in _without:
            _unload()
        return _imported()


def _imported() -> ModuleType:
    """open_clip, or what its import raised without the parts that were loaded: they may lack what was hidden."""
    try:
        return importlib.import_module(PACKAGE)
    except BaseException:
        _unload()
        raise


def _unload() -> None:
    names = [name for name, module in sys.modules.items() if module and name.partition(".")[0] == PACKAGE]
    for name in names:
        del sys.modules[name]


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


@contextmanager
def _compiler_later() -> Iterator[None]:
    """An import in the block that takes `TAKEN` of torch's compiler loads the compiler at the first call of it only."""
    if COMPILER in sys.modules:
        yield
        return
    stand_in = ModuleType(COMPILER)

    def taken(*given: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(COMPILER), TAKEN)(*given, **named)

    def other(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _forget(stand_in)
        return getattr(importlib.import_module(COMPILER), name)

    vars(stand_in).update({TAKEN: taken, "__getattr__": other})
    sys.modules[COMPILER] = stand_in
    try:
        yield
    finally:
        _forget(stand_in)


def _forget(stand_in: ModuleType) -> None:
    if sys.modules.get(COMPILER) is stand_in:
        del sys.modules[COMPILER]
