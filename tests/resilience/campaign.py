"""`python -m tests.resilience.campaign --answers 200 --faults 30 --seed 0`: experts answer while the parts are harmed.

Real parts (Label Studio on SQLite, Redis, console, workers, scheduler) on free ports in a fresh workspace; three
experts answer two questions each, two of them in Label Studio and one on the console's page, change one answer in ten,
and try again for as long as nothing answers. Faults come at random moments until there were enough of them and of the
answers. In the end every answer that Label Studio took must be in its export and in the records, once, with its latest
value, on its image. The last line is one JSON object; exit code 0 where nothing is wrong.

`--kinds all` adds faults between the parts (webhooks, a Label Studio that answers 500 or late), a full disk (needs
leave to mount) and steps of the clock (needs a C compiler) to killed, hanging and locked parts. `--record FILE` runs
shards of 100 answers and 15 faults each, seed after seed, and keeps each that ends: called again, also after
`--minutes` were over, it goes on where it was, until all shards together have the answers and faults asked for.
`--database postgresql` keeps the records in a PostgreSQL of its own, whose connections and tables are harmed too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.demo import simulate
from attune.labeler.jobs import jobs
from attune.labeler.people import experts
from attune.labeler.records.schema import Expert, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.services import Stack
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from benchmarks.machine import machine
from benchmarks.round_trip import add_pool
from tests.resilience import ledger as ledgers
from tests.resilience import shards
from tests.resilience.arena import DATABASES, KINDS, PARTS, arena
from tests.resilience.faults import Fault, until_ready
from tests.resilience.ledger import PASSWORD, Answerer, Ledger
from tests.resilience.page_answerer import PageAnswerer

QUESTIONS = {"romance": ("romance", "friendship"), "serious": ("serious", "not serious")}
PEOPLE = 3
GAP_SECONDS = (1.0, 8.0)
LONGEST_SECONDS = 3600.0
SHARD_ANSWERS, SHARD_FAULTS = 100, 15


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
        experts.add(settings, address(number), list(QUESTIONS), password=PASSWORD)
    for name in QUESTIONS:
        jobs.ask(settings, "learn", attribute=name)


def address(number: int) -> str:
    """An expert's."""
    return f"expert{number}@campaign.example"


def people(settings: Settings, ledger: Ledger) -> list[Answerer]:
    """One thread for each queue; the last expert answers on the console's page, the others in Label Studio."""
    with reading(settings) as session:
        rows = session.execute(
            select(Expert.email, Queue.project, Queue.attribute_id).join(Expert, Expert.id == Queue.expert_id)
        ).all()
        names = {attributes.find(session, name).id: name for name in QUESTIONS}
    on_page = address(PEOPLE - 1)
    return [
        (PageAnswerer if email == on_page else Answerer)(settings, email, project, QUESTIONS[names[attribute]], ledger)
        for email, project, attribute in rows
    ]


def drawn(chosen: Sequence[Fault], chance: Random) -> Iterator[Fault]:
    """Faults without end, each as often as the others."""
    while True:
        yield from chance.sample(chosen, len(chosen))


def harm(
    settings: Settings, stack: Stack, ledger: Ledger, options: argparse.Namespace, chosen: Sequence[Fault]
) -> dict[str, Any]:
    """Inject faults until there were enough of them and of the answers; seconds to ready by fault."""
    chance, seconds = Random(options.seed), defaultdict[str, list[float]](list)
    following = drawn(chosen, chance)
    restarts, done, began = 0, 0, time.monotonic()
    while (done < options.faults or len(ledger) < options.answers) and time.monotonic() - began < LONGEST_SECONDS:
        time.sleep(chance.uniform(*GAP_SECONDS))
        if done < options.faults:
            fault = next(following)
            if not fault.do(settings, chance):
                continue
            done += 1
            took = until_ready(settings, stack)
            if took == float("inf"):  # the stack gave up a part that was killed too often
                stack.stop()
                stack.start()
                stack.ready()
                restarts += 1
            else:
                seconds[fault.name].append(took)
            print(
                f"{done:4d}  {fault.name:<32} ready {took:6.1f} s   {len(ledger)} answers", file=sys.stderr, flush=True
            )
    return {"faults": done, "stack restarted": restarts, "recoveries": dict(seconds)}


def settle(settings: Settings) -> None:
    """Read all answers, and wait for the rounds that have seen them."""
    for name in QUESTIONS:
        jobs.ask(settings, "sync", attribute=name)
        simulate.wait_learned(settings, name, simulate.counters(settings, name)[0], seconds=300)


def logged(settings: Settings) -> dict[str, int]:
    """Tracebacks in the logs of our own parts, counted by the log and the words that they end with: to look at."""
    found = Counter[str]()
    for log in settings.logs.glob("*.log*"):
        if not log.name.startswith("label-studio"):
            texts = log.read_text(errors="replace").split("Traceback (most recent call last)")[1:]
            ends = [next((line for line in text.splitlines()[1:] if line[:1].isalpha()), "") for text in texts]
            found.update(f"{log.name}: {end[:120]}" for end in ends)
    return dict(found.most_common(20))


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole campaign; what the last line says."""
    ledger = Ledger()
    began = time.monotonic()
    with (
        arena(options.kinds, folder, options.database, options.label_studio) as (settings, chosen),
        Stack(settings, lambda line: print(line, file=sys.stderr)) as stack,
    ):
        fill(settings, options.pool, options.seed)
        threads = people(settings, ledger)
        on_page = {thread.project for thread in threads if isinstance(thread, PageAnswerer)}
        for thread in threads:
            thread.start()
        told = harm(settings, stack, ledger, options, chosen)
        for thread in threads:
            thread.stopping.set()
        for thread in threads:
            thread.join(120)
        settle(settings)
        wrong, exceptions = ledgers.compare(settings, ledger), logged(settings)
        if any(wrong.values()):  # a disk in memory goes with the campaign
            with suppress(shutil.Error):  # sockets
                shutil.copytree(settings.workspace, folder / "kept")
    waits = np.asarray(ledger.waits or [0.0])
    return {
        "ok": not any(wrong.values()) and len(ledger) >= options.answers and told["faults"] >= options.faults,
        "answers": len(ledger),
        "on the page": sum(project in on_page for project, _ in ledger.given),
        **told,
        "wrong": {name: len(some) for name, some in wrong.items()},
        "examples": {name: some[:5] for name, some in wrong.items() if some},
        "answer to answer": {
            "p50": round(float(np.median(waits)), 2),
            "p95": round(float(np.quantile(waits, 0.95)), 2),
        },
        "minutes": round((time.monotonic() - began) / 60, 1),
        "seconds to ready": shards.recoveries([told]),
        "seed": options.seed,
        "kinds": options.kinds,
        "database": options.database,
        "Label Studio's database": options.label_studio,
        "exceptions": exceptions,
        "machine": machine(),
        "folder": str(folder),
    }


def sharded(options: argparse.Namespace) -> dict[str, Any]:
    """Shards until there are enough of them, or the time is over; what all of them come to."""
    began, done = time.monotonic(), shards.read(options.record)
    while (so_far := shards.total(done))["answers"] < options.answers or so_far["faults"] < options.faults:
        if time.monotonic() - began > options.minutes * 60:
            break
        seed = shards.next_seed(done, options.seed)
        size = {"seed": seed, "answers": SHARD_ANSWERS, "faults": SHARD_FAULTS}
        shards.add(options.record, in_a_folder(argparse.Namespace(**vars(options) | size)))
        done = shards.read(options.record)
        print(shards.table(done), file=sys.stderr, flush=True)
    return so_far | {"machine": machine()}


def in_a_folder(options: argparse.Namespace) -> dict[str, Any]:
    """`run`, in a folder that stays where something was wrong."""
    folder = Path(tempfile.mkdtemp(prefix="attune-campaign-"))
    found = run(options, folder)
    if found["ok"]:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--pool", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=[*KINDS, "all"], default=[PARTS])
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0], help="of the records")
    parser.add_argument("--label-studio", choices=DATABASES, default=DATABASES[0], help="database of Label Studio")
    parser.add_argument("--record", type=Path, help="file of the shards that ended; goes on after them")
    parser.add_argument("--minutes", type=float, default=60.0, help="start no shard later than that; with --record")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if "all" in options.kinds:
        options.kinds = list(KINDS)
    found = sharded(options) if options.record else in_a_folder(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))
    sys.exit(0 if found["ok"] and found["answers"] >= options.answers and found["faults"] >= options.faults else 1)


if __name__ == "__main__":
    main()
