"""Python code run inside Label Studio's own environment, on the database of the one that the tests started."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from attune.labeler.label_studio import local
from attune.labeler.label_studio.environment_folder import folder
from attune.labeler.settings import Settings

BEGIN = "import django, json\ndjango.setup()\n"


def run(settings: Settings, code: str) -> Any:
    """What ``code`` prints last, as JSON. ``settings`` are those that Label Studio was started with."""
    return _run(settings, ["-c", BEGIN + code])


def script(settings: Settings, name: str) -> Any:
    """What one of the modules that Attune gives Label Studio prints last, as JSON."""
    return _run(settings, [str(local.DJANGO_FOLDER / name)])


def _run(settings: Settings, arguments: list[str]) -> Any:
    home = folder(settings)
    package = next(home.glob("lib/python3.*/site-packages/label_studio"))
    variables = local.environment(settings)
    variables["PYTHONPATH"] = os.pathsep.join([variables["PYTHONPATH"], str(package)])
    done = subprocess.run(
        [str(home / "bin" / "python"), *arguments],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
