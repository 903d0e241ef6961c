"""Real photographs through the real parts: ``python -m benchmarks.photographs --shared ../shared --answers 120``.

Adds the photographs of ``photos/images`` with the vectors of ``bench/faces.npz``, makes the attribute ``serious``, and
lets one expert answer from ``photos/labels.csv`` through Label Studio (neutral counts as serious). Every run's probe is
then measured on the other faces of ``faces.npz``: people of whom the pool holds no photograph. The vectors are
EfficientNet features, not CLIP: there is no text tower, so the first batch is a spread.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.assets.add import Request, add
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.demo import simulate
from attune.labeler.jobs import jobs
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.people import experts
from attune.labeler.records.schema import Queue, Run
from attune.labeler.records.session import migrate, reading, writing
from attune.labeler.services import Stack, free_ports
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import read_probe
from attune.models.evaluation.evaluate import holdout_ap

NAME, EMAIL, PASSWORD = "serious", "ana@bench.example", "photographs-bench"
MARKS = (10, 20, 40, 60, 80, 100, 120, 160, 200)


def main() -> None:
    """Run one campaign and print its curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder with photos/ and bench/")
    parser.add_argument("--answers", type=int, default=120)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-photographs-") as folder:
        settings = free_ports(reader.build(workspace=folder))
        with Stack(settings, print):
            prepare(settings, options.shared)
            version = answer(settings, options.shared, options.answers)
            rows = curve(settings, options.shared)
    for row in rows:
        print(f"{row['answers']:4d} answers  AP {row['value']:.3f} [{row['lo']:.3f}, {row['hi']:.3f}]  n = {row['n']}")
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    if options.json:
        found = {"rows": rows, "version": version, "seeds": 1, "machine": machine}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def labels_of(shared: Path) -> dict[str, tuple[str, str]]:
    """File name -> (answer, person)."""
    with (shared / "photos" / "labels.csv").open(newline="") as lines:
        return {
            row["filename"]: ("serious" if row["expression"] == "neutral" else "other", row["title_id"])
            for row in csv.DictReader(lines)
        }


def prepare(settings: Settings, shared: Path) -> dict[str, Any]:
    """Photographs with their vectors, the question, one expert and the first batch; the summary of what was added."""
    migrate(settings)
    photos = shared / "photos" / "images"
    manifest = settings.workspace / "photographs.csv"
    with manifest.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("asset_id", "filename", "title_id"))
        writer.writerows((name, name, person) for name, (_, person) in labels_of(shared).items())
    request = Request([str(photos)], manifest=manifest, vectors=shared / "bench" / "faces.npz")
    summary = add(settings, request)
    with writing(settings) as session:
        wanted = Definition(NAME, "Is the expression serious?", ("serious", "other"))
        attributes.create(session, wanted, settings)
    experts.add(settings, EMAIL, [NAME], password=PASSWORD)
    jobs.ask(settings, "learn", attribute=NAME)
    return summary.to_dict()


def answer(
    settings: Settings,
    shared: Path,
    answers: int,
    together: int = 1,
    wait: Callable[[Settings, str, int], object] = simulate.wait_learned,
) -> int:
    """Answer one image after the other, ``together`` of them after the order that those before led to; publish; the
    version. ``wait`` ends once a round has seen that many changes of answers.
    """
    told = labels_of(shared)
    with reading(settings) as session:
        queue = session.scalars(select(Queue)).one()
    with ExpertSession.login(settings.label_studio_address, EMAIL, PASSWORD) as person:
        before = simulate.counters(settings, NAME)[0]
        for given in range(1, answers + 1):
            task = person.next_task(queue.project)
            assert task is not None, "the queue is empty"
            person.answer(task["id"], told[str(task["data"]["asset_id"])][0])
            if given % together == 0:
                wait(settings, NAME, before + given)
    jobs.ask(settings, "sync", attribute=NAME)
    version = int(jobs.ask(settings, "learn", attribute=NAME)["run"])
    promote(settings, Move(NAME, version, "the photographs' campaign is done", EMAIL, override=True))
    return version


def curve(settings: Settings, shared: Path) -> list[dict[str, Any]]:
    """AP of the runs nearest to ``MARKS`` answers, on people of whom the pool holds no photograph."""
    people = {person for _, person in labels_of(shared).values()}
    with np.load(shared / "bench" / "faces.npz", allow_pickle=False) as held:
        kept = ~np.isin(held["title_ids"], sorted(people))
        x = held["vectors"][kept].astype(np.float32)
        y = 1 - held["labels"][kept][:, held["label_names"].tolist().index("serious")].astype(np.intp)
        titles = held["title_ids"][kept]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    with reading(settings) as session:
        runs = list(session.scalars(select(Run).order_by(Run.number)))
    nearest = {mark: min(runs, key=lambda run: abs(run.answers - mark)) for mark in MARKS if mark <= runs[-1].answers}
    chosen = {run.answers: run for run in [*nearest.values(), runs[-1]]}
    rows = []
    for answers, run in sorted(chosen.items()):
        metric = holdout_ap(y, read_probe(run.probe).probabilities(x), titles, 0)
        rows.append({"answers": answers, "run": run.number, **metric.to_dict()})
    return rows


if __name__ == "__main__":
    main()
