"""*Similar* over a large pool: ``python -m benchmarks.similar_speed --pool 200000``.

Records and vectors are made at random, and a taste space with a blend of .2. The whole page is asked for ``--rounds``
times for each way as an owner, each time for another image, in this process and without a browser. Seconds, p50 and
p95; of the processor, too, which do not grow where other programs use it. The first page, which prepares the pool, is
told apart. Beside them stand Explore without a search, and with a filter alone. ``load`` is the machine's while it ran.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from flask.testing import FlaskClient

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import activate
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, space_moves
from attune.labeler.web.app import create_app
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.similarity.space_files import LearnedSpace
from attune.models.similarity.space_manifest import SpaceFacts
from attune.models.vectors.vector_store import VectorStore
from benchmarks.gallery_speed import OWNER, PASSWORD, fill
from benchmarks.labelling_speed import quantile
from benchmarks.machine import machine

DIMENSION, KEPT, COMPONENTS = 512, 128, 256
WAYS = {"looks like": "final", "same taste": "taste", "of another genre": "taste&other=genre"}
PLAIN = {"without a search": "/explore?page={}", "by a column": "/explore?column=genre&value=drama&page={}"}
BLOCK = 20_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--hub-weight", type=float, default=0.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-similar-") as folder:
        settings = reader.build(workspace=folder)
        fill(settings, options.pool, answers=1)
        embed(settings, options.pool)
        learn(settings, options.hub_weight)
        found = {"pool": options.pool, "rounds": options.rounds, "hub_weight": options.hub_weight}
        found |= {"seconds": asked(settings, options.pool, options.rounds), "machine": machine()}
        found["load"] = round(os.getloadavg()[0], 1)
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def embed(settings: Settings, pool: int) -> None:
    """A vector at random for each image."""
    made = Fingerprint("open_clip", "bench", "0" * 64, DIMENSION)
    rng = np.random.default_rng(0)
    for start in range(0, pool, BLOCK):
        rows = rng.standard_normal((min(BLOCK, pool - start), DIMENSION), dtype=np.float32)
        ids = [f"poster-{number}" for number in range(start, start + len(rows))]
        VectorStore(settings.vectors).append(made, ids, rows / np.linalg.norm(rows, axis=1, keepdims=True))
    with writing(settings) as session:
        activate(session, made)


def learn(settings: Settings, hub_weight: float) -> None:
    """A taste space of random numbers, promoted."""
    rng = np.random.default_rng(1)
    components = rng.standard_normal((COMPONENTS, DIMENSION), dtype=np.float32)
    projection = rng.standard_normal((KEPT, COMPONENTS), dtype=np.float32)
    blend = np.array([0.2, hub_weight], dtype=np.float32)
    space = LearnedSpace(np.zeros(DIMENSION, dtype=np.float32), components, projection, blend)
    encoder = Fingerprint("open_clip", "bench", "0" * 64, DIMENSION).to_dict()

    def facts(version: int, at: str) -> SpaceFacts:
        return SpaceFacts(encoder, "genre", ("drama",), 0, 0, {}, name="taste", version=version, created_at=at)

    learned.register(settings, space, facts, "taste", "bench", "bench")
    space_moves.promote(settings, "taste", "1", "to measure", "bench")


def asked(settings: Settings, pool: int, rounds: int) -> dict[str, Any]:
    """By way the first page, and p50 and p95 of the others."""
    client = create_app(settings).test_client()
    token = client.get("/login").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    assert client.post("/login", data={"email": OWNER, "password": PASSWORD, "csrf_token": token}).status_code == 302
    images = [f"poster-{turn * 977 % pool}" for turn in range(rounds + 1)]
    pages = {way: [f"/explore?at=like:{one}&space={query}" for one in images] for way, query in WAYS.items()}
    pages |= {way: [query.format(turn + 1) for turn in range(rounds + 1)] for way, query in PLAIN.items()}
    return {way: _timed(client, addresses) for way, addresses in pages.items()}


def _timed(client: FlaskClient, addresses: list[str]) -> dict[str, float]:
    seconds, used = [], []
    for address in addresses:
        began, busy = time.perf_counter(), time.process_time()
        reply = client.get(address)
        seconds.append(time.perf_counter() - began)
        used.append(time.process_time() - busy)
        assert reply.status_code == 200, address
        assert "Nothing to show yet" not in reply.text, address
    p50, p95 = (round(quantile(seconds[1:], share), 3) for share in (0.5, 0.95))
    processor = {f"processor_p{share}": round(quantile(used[1:], share / 100), 3) for share in (50, 95)}
    firsts = {"first": round(seconds[0], 2), "processor_first": round(used[0], 2)}
    return firsts | {"p50": p50, "p95": p95} | processor


if __name__ == "__main__":
    main()
