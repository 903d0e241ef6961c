"""What every part that is started with `python -m` shares: --help, settings from the environment, and how it ends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from attune.labeler import settings as reader
from attune.labeler.services.exits import ending
from attune.labeler.settings import Settings, close_workspace
from attune.models.files import permissions


def parser(program: str, about: str | None) -> argparse.ArgumentParser:
    """Options of ``python -m program``: --help at least, so that asking for it starts nothing."""
    return argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=about,
        epilog="The settings come from ATTUNE_* variables. `attune config show` lists them.",
    )


def run(work: Callable[[Settings], object]) -> int:
    """Build the settings and do ``work``; the exit code. Whatever is raised becomes one sentence on stderr.

    What is written from here on is the user's alone (`attune.models.files.permissions`).
    """
    permissions.begin()
    settings = None
    try:
        settings = reader.build()
        close_workspace.top(settings.workspace)
        work(settings)
    except (Exception, KeyboardInterrupt) as error:
        end = ending(error, settings.workspace if settings else None)
        if end.said:
            print(f"attune: {end.said}", file=sys.stderr, flush=True)
        return end.code
    return 0
