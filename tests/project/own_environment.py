"""Whether an environment belongs to this clone; run by the Makefile, with nothing but Python's own library.

    python tests/project/own_environment.py VENV [GOALS]

Ends with 1, and says what to do, where attune is installed there from another folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parents[2]


def owner(environment: Path) -> Path | None:
    """The folder that the environment's editable attune points to; None where none is installed."""
    for record in environment.glob("lib/python3.*/site-packages/attune-*.dist-info/direct_url.json"):
        try:
            told = json.loads(record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if told.get("dir_info", {}).get("editable"):
            return Path(unquote(urlsplit(told["url"]).path))
    return None


def main(environment: str, goals: str = "") -> int:
    """0 where the environment is this clone's, or nobody's yet."""
    found = owner(Path(environment))
    if found is None or found.resolve() == HERE:
        return 0
    there = "" if found.is_dir() else ", which is not there any more"
    goal, usual = goals or "help", HERE / ".venv"
    own = usual if Path(environment).resolve() != usual and owner(usual) in {None, HERE} else HERE / ".venv-here"
    sys.stderr.write(
        f"The environment {environment} belongs to {found}{there}: it runs the Attune of that folder, not of {HERE}.\n"
        f"  An environment of this folder's own:          make {goal} VENV={own}\n"
        f"  Point that one here, away from {found}:  make {goal} VENV={environment} TAKE=yes\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
