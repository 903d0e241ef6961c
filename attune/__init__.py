"""Attune turns an expert's eye into a classifier.

This module is the Python API (docs/how-to/use-python.md). For pipelines: ``pull`` a probe, ``load_probe`` it, ``score``
vectors with it, or ``connect`` to a running Attune. With images: ``load_encoder``. For experiments: a
``Pool`` of vectors, ``fit``, ``plan``, ``evaluate``. Whatever Attune raises on purpose is an ``AttuneError``.

A name is loaded when it is first used, so ``import attune`` itself takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attune.models.catalog.api_client import connect
    from attune.models.catalog.pull_probe import pull
    from attune.models.catalog.pulled_probe import load_probe, score
    from attune.models.encoders.load_encoder import load_encoder
    from attune.models.errors import AttuneError
    from attune.models.probes.scripting import evaluate, fit, plan
    from attune.models.vectors.pool import Pool

    __version__: str

__all__ = [
    "AttuneError",
    "Pool",
    "__version__",
    "connect",
    "evaluate",
    "fit",
    "load_encoder",
    "load_probe",
    "plan",
    "pull",
    "score",
]
_MODULES = {
    "AttuneError": "errors",
    "Pool": "vectors.pool",
    "connect": "catalog.api_client",
    "evaluate": "probes.scripting",
    "fit": "probes.scripting",
    "load_encoder": "encoders.load_encoder",
    "load_probe": "catalog.pulled_probe",
    "plan": "probes.scripting",
    "pull": "catalog.pull_probe",
    "score": "catalog.pulled_probe",
}

if not TYPE_CHECKING:  # where a checker sees it, every name would seem to be there

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            return globals().setdefault(name, version("attune"))
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals().setdefault(name, getattr(_module(name), name))


def _module(name: str) -> Any:
    """The module that holds ``name``. Raises ExtraNotInstalled where a package that it needs is missing."""
    from importlib import import_module

    try:
        return import_module(f"{__name__}.models.{_MODULES[name]}")
    except ModuleNotFoundError as error:
        from attune.models.errors import ExtraNotInstalled
        from attune.models.reasons import missing_extra

        if told := missing_extra(error):
            raise ExtraNotInstalled(f"attune.{name}: {told}") from error
        raise


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
