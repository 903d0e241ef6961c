"""Start, watch and stop all parts of Attune on one machine.

`run` is what `attune up` does in the foreground; `Stack` does the same in a process beside a test or the demo. They are
imported when they are first named: how a command ends (`exits`) is in this room, too, and needs none of the parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attune.labeler.services.foreground import run
    from attune.labeler.services.ports import free_ports
    from attune.labeler.services.stack import Stack

__all__ = ["Stack", "free_ports", "run"]
_MODULES = {"Stack": "stack", "free_ports": "ports", "run": "foreground"}

if not TYPE_CHECKING:  # where a checker sees it, every name would seem to be there

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return globals().setdefault(name, getattr(import_module(f"{__name__}.{_MODULES[name]}"), name))
