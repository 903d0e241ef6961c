"""`python -m tests.resilience.campaign --answers 200 --faults 30 --seed 0`: experts answer while the parts are harmed.

Real parts (Label Studio on SQLite, Redis, console, workers, scheduler) on free ports in a fresh workspace; three
experts answer two questions each through Label Studio's own API, change one answer in ten, and try again for as long
as nothing answers. Faults come at random moments until there were enough of them and of the answers. In the end every
answer that Label Studio took must be in its export and in the records, once, with its latest value, on its image. The
last line is one JSON object; exit code 0 where nothing is wrong. Shards are seeds: run several, and add them up.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.demo import simulate
from attune.labeler.jobs import jobs
from attune.labeler.people import experts
from attune.labeler.records.schema import Expert, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.services import Stack, free_ports
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from benchmarks.machine import machine
from benchmarks.round_trip import add_pool
from tests.resilience import ledger as ledgers
from tests.resilience.faults import FAULTS, until_ready
from tests.resilience.ledger import PASSWORD, Answerer, Ledger

QUESTIONS = {"romance": ("romance", "friendship"), "serious": ("serious", "not serious")}
PEOPLE = 3
GAP_SECONDS = (1.0, 8.0)
LONGEST_SECONDS = 3600.0


def fill(settings: Settings, pool: int, seed: int) -> None:
    """A pool of vectors with one small image for all, two questions, and the experts' queues."""
    rng = np.random.default_rng(seed)
    ids = [f"poster-{number:05d}" for number in range(pool)]
    stamp = Fingerprint(library="campaign", model="noise", weights=f"seed-{seed}", dimension=64)
    add_pool(settings, stamp, ids, rng.standard_normal((pool, 64)))
    with writing(settings) as session:
        for name, classes in QUESTIONS.items():
            attributes.create(session, Definition(name, f"Is it {classes[0]}?", classes), settings)
    for number in range(PEOPLE):
        experts.add(settings, f"expert{number}@campaign.example", list(QUESTIONS), password=PASSWORD)
    for name in QUESTIONS:
        jobs.ask(settings, "learn", attribute=name)


def people(settings: Settings, ledger: Ledger) -> list[Answerer]:
    """One thread for each queue."""
    with reading(settings) as session:
        rows = session.execute(
            select(Expert.email, Queue.project, Queue.attribute_id).join(Expert, Expert.id == Queue.expert_id)
        ).all()
        names = {attributes.find(session, name).id: name for name in QUESTIONS}
    return [
        Answerer(settings, email, project, QUESTIONS[names[attribute]], ledger) for email, project, attribute in rows
    ]


def harm(settings: Settings, stack: Stack, ledger: Ledger, options: argparse.Namespace) -> dict[str, Any]:
    """Inject faults until there were enough of them and of the answers; seconds to ready by fault."""
    chance, seconds = Random(options.seed), defaultdict[str, list[float]](list)
    restarts, done, began = 0, 0, time.monotonic()
    while (done < options.faults or len(ledger) < options.answers) and time.monotonic() - began < LONGEST_SECONDS:
        time.sleep(chance.uniform(*GAP_SECONDS))
        if done < options.faults:
            fault = FAULTS[done % len(FAULTS)] if done < len(FAULTS) else chance.choice(FAULTS)
            if not fault.do(settings, chance):
                continue
            done += 1
            took = until_ready(settings, stack)
            if took == float("inf"):  # the stack gave up a part that was killed too often
                stack.stop()
                stack.start()
                stack.ready()
                restarts += 1
            seconds[fault.name].append(took)
            print(
                f"{done:4d}  {fault.name:<32} ready {took:6.1f} s   {len(ledger)} answers", file=sys.stderr, flush=True
            )
    return {
        "faults": done,
        "stack restarted": restarts,
        "seconds to ready": {
            name: {"n": len(some), "median": round(float(np.median(some)), 1), "most": round(max(some), 1)}
            for name, some in sorted(seconds.items())
        },
    }


def settle(settings: Settings) -> None:
    """Read all answers, and wait for the rounds that have seen them."""
    for name in QUESTIONS:
        jobs.ask(settings, "sync", attribute=name)
        simulate.wait_learned(settings, name, simulate.counters(settings, name)[0], seconds=300)


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole campaign; what the last line says."""
    settings = free_ports(reader.build({}, workspace=folder / "workspace"))
    ledger = Ledger()
    began = time.monotonic()
    with Stack(settings, lambda line: print(line, file=sys.stderr)) as stack:
        fill(settings, options.pool, options.seed)
        threads = people(settings, ledger)
        for thread in threads:
            thread.start()
        told = harm(settings, stack, ledger, options)
        for thread in threads:
            thread.stopping.set()
        for thread in threads:
            thread.join(120)
        settle(settings)
        wrong = ledgers.compare(settings, ledger)
    waits = np.asarray(ledger.waits or [0.0])
    return {
        "ok": not any(wrong.values()) and len(ledger) >= options.answers and told["faults"] >= options.faults,
        "answers": len(ledger),
        **told,
        "wrong": {name: len(some) for name, some in wrong.items()},
        "examples": {name: some[:5] for name, some in wrong.items() if some},
        "answer to answer": {
            "p50": round(float(np.median(waits)), 2),
            "p95": round(float(np.quantile(waits, 0.95)), 2),
        },
        "minutes": round((time.monotonic() - began) / 60, 1),
        "seed": options.seed,
        "machine": machine(),
        "folder": str(folder),
    }


def main() -> None:
    """Run, print, and leave the workspace where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--pool", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="attune-campaign-"))
    found = run(options, folder)
    if found["ok"]:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))
    sys.exit(0 if found["ok"] else 1)


if __name__ == "__main__":
    main()
