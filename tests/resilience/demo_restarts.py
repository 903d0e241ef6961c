"""`python -m tests.resilience.demo_restarts --kills 5`: kill -9 the demo while it prepares, and start it again.

The demo runs in a fresh workspace on free ports. Each time it is killed, with everything that it started, at a random
moment of what a start takes; the last start may finish. Then every expert must have answered each image once, in Label
Studio's export and in the records, and no log may hold a traceback or an integrity error. The last line is one JSON
object; exit code 0 where all is well.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select

from attune.labeler.label_studio import LabelStudio
from attune.labeler.records.schema import Queue
from attune.labeler.records.session import reading
from attune.labeler.services import free_ports
from attune.labeler.settings import Settings, build, variable
from tests.resilience.held_answers import exported, recorded

READY = "Attune is up."
BAD = re.compile(r"IntegrityError|UNIQUE constraint|Traceback \(most recent call last\)")
PATIENCE_SECONDS = 1200.0


def start(workspace: Path, output: Path) -> subprocess.Popen[bytes]:
    """`attune demo`, its words in ``output``."""
    command = [sys.executable, "-m", "attune.labeler.cli.main", "demo", "--workspace", str(workspace)]
    with output.open("wb") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def kill(process: subprocess.Popen[bytes]) -> int:
    """Kill -9 the demo and all that it started, at one moment; how many processes."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    # Stopped first: none is to see another's end and complain of it.
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(number)
    process.wait()
    return len(family)


def until_ready(process: subprocess.Popen[bytes], output: Path, seconds: float) -> bool:
    """Wait until the demo says that it is up; False where ``seconds`` were too few. Exits where the demo ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if READY in output.read_text(errors="replace"):
            return True
        if process.poll() is not None:
            tail = "\n".join(output.read_text(errors="replace").splitlines()[-15:])
            sys.exit(f"The demo ended with status {process.returncode}:\n{tail}")
        time.sleep(0.2)
    return False


def doubled(settings: Settings) -> dict[str, Any]:
    """How many answers the records and Label Studio hold, what each holds more than once, and what only one holds."""
    with reading(settings) as session:
        held = Counter((project, asset) for project, asset, _ in recorded(session))
        projects = list(session.scalars(select(Queue.project)))
    there: Counter[tuple[int, str]] = Counter()
    with LabelStudio.connect(settings) as ls:
        for project, asset, annotations in exported(ls, projects):
            there[project, asset] += annotations
    return {
        "recorded": held.total(),
        "in_label_studio": there.total(),
        "twice_in_the_records": [name for name, times in held.items() if times > 1],
        "twice_in_label_studio": [name for name, times in there.items() if times > 1],
        "different": sorted(str(name) for name in held.keys() ^ there.keys()),
    }


def complaints(workspace: Path, outputs: list[Path]) -> dict[str, int]:
    """Lines of the logs that must not be there, counted, by ``file: what``."""
    found: Counter[str] = Counter()
    for path in [*sorted((workspace / "logs").glob("*.log*")), *outputs]:
        for match in BAD.finditer(path.read_text(errors="replace")):
            found[f"{path.name}: {match.group()}"] += 1
    return dict(found)


def run(kills: int, seed: int, longest: float, folder: Path) -> dict[str, Any]:
    """The whole trial; what the last line says."""
    chance, workspace = random.Random(seed), folder / "workspace"
    os.environ.pop("ATTUNE_WORKSPACE", None)
    # Not the usual ports: others' tests ask there, and Label Studio's log would hold their mistakes.
    ports = free_ports(build({}, workspace=workspace))
    for name in ("web_port", "label_studio_port", "redis_port"):
        os.environ[variable(name)] = str(getattr(ports, name))
    starts, outputs = [], []
    for number in range(kills + 1):
        outputs.append(folder / f"start-{number + 1}.log")
        began = time.monotonic()
        process = start(workspace, outputs[-1])
        at = chance.uniform(2.0, longest) if number < kills else PATIENCE_SECONDS
        done = until_ready(process, outputs[-1], at)
        seconds = round(time.monotonic() - began, 1)
        starts.append({"ready": done, "seconds": seconds})
        if number < kills:
            said = outputs[-1].read_text(errors="replace").splitlines()
            starts[-1] |= {"killed": kill(process), "during": said[-1] if said else ""}
        print(json.dumps(starts[-1]), file=sys.stderr, flush=True)
    try:
        told = doubled(build({}, workspace=workspace)) if starts[-1]["ready"] else {}
    finally:
        process.terminate()
        process.wait(90)
    found = complaints(workspace, outputs)
    fine = bool(told) and not found and not any(told[key] for key in told if key not in ("recorded", "in_label_studio"))
    return {"ok": fine, "starts": starts, "answers": told, "complaints": found, "seed": seed, "folder": str(folder)}


def main() -> None:
    """Run, print, and leave the workspace where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--longest", type=float, default=200.0, help="seconds after which a start is killed at the latest"
    )
    parser.add_argument("--keep", action="store_true", help="keep the workspace also where all is well")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="attune-demo-restarts-"))
    found = run(options.kills, options.seed, options.longest, folder)
    if found["ok"] and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found))
    sys.exit(0 if found["ok"] else 1)


if __name__ == "__main__":
    main()
