"""Every setting of Attune, built once at each entry point: argument over environment over workspace over default.

The workspace's own `settings.json` keeps what belongs to its data (the encoder) or to the parts that run on it (ports),
so that a command given nothing but the workspace finds both. Nothing reads the environment at import, and nothing below
the entry points reads it at all: they are handed a ``Settings``.
"""

from attune.labeler.settings.build import build, keep_settings, kept_settings
from attune.labeler.settings.table import Settings, hidden, variable

__all__ = ["Settings", "build", "hidden", "keep_settings", "kept_settings", "variable"]
