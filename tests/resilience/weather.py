"""A Label Studio that answers 500, or late, for some seconds: by a middleware of the campaign's own.

The campaign's Label Studio is the installed one, called by a script that adds the folder ``inside`` to what it imports:
nothing in the product knows of it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random

from attune.labeler.label_studio.environment_folder import folder
from attune.labeler.settings import Settings
from tests.resilience.faults import Fault

INSIDE = Path(__file__).with_name("inside")
SHARE = 0.6  # of the requests
LATE_SECONDS = 6.0
SCRIPTS = {
    "label-studio": 'PYTHONPATH="{inside}:$PYTHONPATH" DJANGO_SETTINGS_MODULE=campaign_settings '
    'CAMPAIGN_WEATHER="{weather}" exec "{bin}/label-studio" "$@"',
    "python": 'exec "{bin}/python" "$@"',
}


def environment(settings: Settings, home: Path) -> Path:
    """A folder for ATTUNE_LABEL_STUDIO_ENV whose label-studio has weather, as the file beside the workspace says it."""
    real = folder(settings)
    (home / "bin").mkdir(parents=True)
    for name in ("lib", "pyvenv.cfg"):
        (home / name).symlink_to(real / name)
    for name, line in SCRIPTS.items():
        script = home / "bin" / name
        script.write_text(f"#!/bin/sh\n{line.format(inside=INSIDE, weather=_file(settings), bin=real / 'bin')}\n")
        script.chmod(0o755)
    return home


def _file(settings: Settings) -> Path:
    return settings.workspace.parent / "weather.json"


def _weather(name: str, kind: str) -> Fault:
    def do(settings: Settings, chance: Random) -> bool:
        now = {"kind": kind, "share": SHARE, "seconds": LATE_SECONDS}
        _file(settings).write_text(json.dumps(now))
        time.sleep(chance.uniform(3, 10))
        _file(settings).unlink()
        return True

    return Fault(name, do)


FAULTS = (
    _weather("Label Studio answers 500", "refuse"),
    _weather("Label Studio does it and answers 500", "lie"),
    _weather("Label Studio is slow", "slow"),
)
