"""The gallery of an attribute's results over a large pool: ``python -m benchmarks.gallery_speed --pool 200000``.

Records and scores are made at random, with ``--answers`` answers; each filter's whole page is asked for ``--rounds``
times as an owner, in this process and without a browser. Seconds of the page, p50 and p95; of the processor, too, which
do not grow where other programs use it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from attune.labeler import settings as reader
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.explore import pool_scores
from attune.labeler.people import users
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Queue
from attune.labeler.records.session import migrate, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.clock import now
from benchmarks.labelling_speed import quantile
from benchmarks.machine import machine

OWNER, PASSWORD = "owner@bench.example", "a long enough password"
GENRES = ("drama", "comedy", "horror", "documentary", "thriller")
CLASSES = ("serious", "other")
FILTERS = {
    "none": "",
    "class": "by=other",
    "all": "by=*",
    "doubtful": "by=*&sort=low",
    "newest": "by=*&sort=new",
    "probability": "lo=20&hi=80",
    "answered": "by=*&show=answered",
    "open": "by=*&show=open",
    "disagreement": "by=*&show=differ",
    "title": "by=*&title=harbour",
    "rare title": "by=*&title=title-1234",
    "column": "by=*&column=genre&value=drama",
    "column and title": "by=*&column=genre&value=drama&title=harbour",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, default=200_000)
    parser.add_argument("--answers", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-gallery-") as folder:
        settings = reader.build(workspace=folder)
        fill(settings, options.pool, options.answers)
        found = {"pool": options.pool, "answers": options.answers, "rounds": options.rounds}
        found |= {"seconds": asked(settings, options.rounds), "machine": machine()}
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def fill(settings: Settings, pool: int, answers: int) -> None:
    """A pool with titles and columns, one question, one expert's answers, and the newest probe's scores."""
    migrate(settings)
    rng = np.random.default_rng(0)
    users.create(settings, OWNER, "owner", PASSWORD)
    words = ("harbour", "night", "letter", "winter", "garden")
    with writing(settings) as session:
        one = attributes.create(session, Definition("serious", "Is the face serious?", CLASSES, ""), settings)
        expert = Expert(email="expert@bench.example", name="Expert", added_at=now())
        session.add(expert)
        session.flush()
        session.add(Queue(attribute_id=one.id, expert_id=expert.id, project=1, view=1, created_at=now()))
        rows = [
            {
                "asset_id": f"poster-{number}", "title_id": f"title-{number // 4}-{words[number // 4 % 5]}",
                "uri": f"file:///{number}.jpg", "digest": f"{number:064x}", "width": 480, "height": 720,
                "columns": {"genre": GENRES[number % 5], "year": 1960 + number % 60, "note": "x" * 80},
                "added_at": now(),
            }
            for number in range(pool)
        ]  # fmt: skip
        for start in range(0, pool, 20_000):
            session.execute(insert(Asset), rows[start : start + 20_000])
        said = [
            {
                "attribute_id": one.id, "revision": 1, "asset_pk": int(key), "expert_id": expert.id,
                "value": CLASSES[int(rng.integers(2))], "purpose": "spread", "answered_at": now(), "updated_at": now(),
                "received_at": now(),
            }
            for key in rng.choice(pool, answers, replace=False) + 1
        ]  # fmt: skip
        session.execute(insert(Annotation), said)
        name = session.get_one(Attribute, one.id)
    first = rng.beta(0.5, 0.5, pool)
    keys = np.arange(1, pool + 1, dtype=np.int64)
    pool_scores.save(settings, name, 1, keys, np.column_stack([first, 1 - first]), {}, {})


def asked(settings: Settings, rounds: int) -> dict[str, Any]:
    """By filter p50, p95 and the images found."""
    client = create_app(settings).test_client()
    token = client.get("/login").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    sent = client.post("/login", data={"email": OWNER, "password": PASSWORD, "csrf_token": token})
    assert sent.status_code == 302, sent.status_code
    found: dict[str, list[float]] = {name: [] for name in FILTERS}
    used: dict[str, list[float]] = {name: [] for name in FILTERS}
    for turn in range(rounds + 1):
        for name, query in FILTERS.items():
            began, busy = time.perf_counter(), time.process_time()
            reply = client.get(f"/attributes/serious/results?{query}")
            assert reply.status_code == 200, (name, reply.status_code)
            if turn:  # the first opens files and compiles
                found[name].append(round(time.perf_counter() - began, 4))
                used[name].append(round(time.process_time() - busy, 4))
    return {
        name: {"p50": quantile(one, 0.5), "p95": quantile(one, 0.95), "processor_p50": quantile(used[name], 0.5)}
        for name, one in found.items()
    }


if __name__ == "__main__":
    main()
