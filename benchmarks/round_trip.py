"""From an answer's POST to the new order in Label Studio: ``python -m benchmarks.round_trip --pool 1500 --dim 512``.

Starts the real parts (Redis, Label Studio, web app, workers) in a temporary workspace, fills the pool with vectors from
a seed, and lets one expert answer. Clocked from sending the annotation to the moment at which Label Studio serves by an
order of a run that has seen it. Prints a table and, with --json, writes {"p50", "p95", "n", …} in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs import jobs
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.people import experts
from attune.labeler.records.schema import Asset, Encoder, Queue, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.services import Stack, free_ports
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_store import VectorStore

NAME, EMAIL, PASSWORD = "round-trip", "ana@bench.example", "round-trip-bench"
WARM_UP = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, default=1500, help="assets")
    parser.add_argument("--dim", type=int, default=512, help="length of a vector")
    parser.add_argument("--answers", type=int, default=30, help="answers that are clocked")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds that the expert looks before each answer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-round-trip-") as folder:
        settings = free_ports(reader.build(workspace=folder))
        with Stack(settings, print):
            fill(settings, options.pool, options.dim, options.seed)
            seconds = clock(settings, options.answers, options.pause)
    found = result(seconds, options)
    print(f"pool {options.pool} x {options.dim}: p50 {found['p50']:.2f} s, p95 {found['p95']:.2f} s, n = {found['n']}")
    where = found["machine"]
    print(f"on {where['cores']} cores ({where['processor']}), load {where['load']:.1f}; pause {options.pause:g} s")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def fill(settings: Settings, pool: int, dim: int, seed: int) -> None:
    """A pool of vectors in two overlapping crowds; one small image stands for all of them."""
    rng = np.random.default_rng(seed)
    centre = rng.standard_normal(dim)
    positive = rng.random(pool) < 0.2
    x = rng.standard_normal((pool, dim)) + np.where(positive[:, None], 0.25 * centre, 0)
    ids = [f"{'yes' if flag else 'no'}-{number:07d}" for number, flag in enumerate(positive)]
    add_pool(settings, Fingerprint(library="bench", model="crowds", weights=f"seed-{seed}", dimension=dim), ids, x)
    with writing(settings) as session:
        attributes.create(session, Definition(NAME, "Yes or no?", ("yes", "no")), settings)
    experts.add(settings, EMAIL, [NAME], password=PASSWORD)
    jobs.ask(settings, "learn", attribute=NAME)


def add_pool(settings: Settings, stamp: Fingerprint, ids: list[str], vectors: npt.NDArray[np.float64]) -> None:
    """Images with these ``vectors`` (n, d) of any length, two to a title; one small picture stands for all of them."""
    picture = settings.workspace / "one.png"
    Image.new("RGB", (320, 480), (90, 120, 160)).save(picture)
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    VectorStore(settings.vectors).append(stamp, ids, units)
    with writing(settings) as session:
        session.add(Encoder(digest=stamp.digest, fingerprint=stamp.to_dict(), active=True, added_at=now()))
        session.add_all(
            Asset(
                asset_id=one, title_id=f"t{number // 2}", uri=str(picture), digest=f"d{number}", width=320, height=480,
                columns={}, added_at=now(),
            )
            for number, one in enumerate(ids)
        )  # fmt: skip


def clock(settings: Settings, answers: int, pause: float = 0.0) -> list[float]:
    """Seconds from each answer to the order that follows it; the expert looks ``pause`` seconds before each."""
    ls = LabelStudio.connect(settings)
    with reading(settings) as session:
        queue = session.scalars(select(Queue)).one()
    found = []
    with ExpertSession.login(settings.label_studio_address, EMAIL, PASSWORD) as person:
        for number in range(answers + WARM_UP):
            task = person.next_task(queue.project)
            assert task is not None, "the queue is empty"
            time.sleep(pause)
            began = time.perf_counter()
            person.answer(task["id"], str(task["data"]["asset_id"]).partition("-")[0])
            await_order(settings, ls, queue.project, number + 1)
            if number >= WARM_UP:
                found.append(time.perf_counter() - began)
    return found


def await_order(settings: Settings, ls: LabelStudio, project: int, answers: int) -> None:
    """Wait until Label Studio serves the order of a run on that many answers."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with reading(settings) as session:
            run = session.scalar(select(Run.number).where(Run.answers >= answers).order_by(Run.number).limit(1))
        if run is not None:
            served = str(ls.request("GET", f"/api/projects/{project}/")["model_version"])
            if served and int(served.rsplit("-", 1)[1]) >= run:
                return
        time.sleep(0.02)
    raise TimeoutError(f"no order followed answer {answers} within 120 s; see {settings.logs}")


def result(seconds: list[float], options: argparse.Namespace) -> dict[str, Any]:
    """The figures, with what they were measured on."""
    return {
        "p50": float(np.quantile(seconds, 0.5)),
        "p95": float(np.quantile(seconds, 0.95)),
        "n": len(seconds),
        "seconds": [round(one, 3) for one in seconds],
        "pause": options.pause,
        "pool": options.pool,
        "dim": options.dim,
        "seed": options.seed,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
        },
        "versions": {name: version(name) for name in ("attune", "numpy", "scikit-learn", "rq", "label-studio-sdk")},
    }


if __name__ == "__main__":
    main()
