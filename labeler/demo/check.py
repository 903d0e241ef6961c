"""demo-check: the main job without a person, and the figures as one JSON object."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from attune.labeler.assets.active_pool import open_pool
from attune.labeler.attributes import attributes
from attune.labeler.demo import performed, prepare, story
from attune.labeler.demo.measure import figures
from attune.labeler.jobs.jobs import Report
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.sample import ATTRIBUTES
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import read_probe
from attune.models.catalog.pull_probe import pull
from attune.models.errors import DigestMismatch

# Nothing of Attune: what any pipeline would run.
READER = """
import sys, numpy as np
from safetensors.numpy import load_file
probe = load_file(sys.argv[1] + "/probe.safetensors")
x = np.load(sys.argv[2]).astype(np.float32)
z = (x @ probe["weight"].T + probe["bias"]) * probe["calibration"][:, 0] + probe["calibration"][:, 1]
if z.shape[1] == 1:
    p = 1 / (1 + np.exp(-z)); p = np.hstack([p, 1 - p])
else:
    e = np.exp(z - z.max(axis=1, keepdims=True)); p = e / e.sum(axis=1, keepdims=True)
np.save(sys.argv[3], p)
assert not {"models", "labeler", "workers", "torch", "sklearn"} & set(sys.modules)
"""


def check(settings: Settings, progress: Callable[[str], Report], answers: int = story.ANSWERS) -> dict[str, Any]:
    """Label, publish, pull and measure both sample attributes; the JSON object that demo-check prints."""
    started = time.monotonic()
    catalogue = story.load(settings, progress)
    story.people_and_queues(settings, ATTRIBUTES, prepare.SIMULATED, progress)
    names = [sample.name for sample in ATTRIBUTES]
    measuring = int(story.CHECK_SHARE * answers)
    reports = {name: progress(f"Experts answer: {name}") for name in names}
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        waiting = {n: pool.submit(story.label, settings, catalogue, n, answers, reports[n], measuring) for n in names}
        versions = {name: done.result() for name, done in waiting.items()}
    report = progress("Publishing, scoring, pulling")
    results = {}
    for number, (name, version) in enumerate(versions.items()):
        story.publish(settings, name, version, "demo-check: simulated experts are done")
        results[name] = figures(settings, catalogue, name, version)
        results[name]["largest_difference_when_pulled"] = check_pull(settings, name, version)
        report(number + 1, len(versions))
    performed.add(settings, catalogue, progress("Making up performance and answering three questions"))
    told = performed.told(settings)
    return {"attributes": results, "insights": told, "seconds": round(time.monotonic() - started, 1)}


def check_pull(settings: Settings, name: str, version: int) -> float:
    """Pull the champion over HTTP, score the pool in a process without Attune, and compare with the run's own probe.

    Raises DigestMismatch where a probability differs by more than 1e-5.
    """
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        view = open_pool(settings, session)
        run = session.scalars(select(Run).where(Run.attribute_id == attribute.id, Run.number == version)).one()
    x = view.pool.rows(np.arange(len(view.pool)))
    with tempfile.TemporaryDirectory(prefix="attune-pull-") as folder:
        to = Path(folder)
        pull_champion(settings, name, to / "probe")
        np.save(to / "x.npy", x)
        command = [sys.executable, "-I", "-c", READER, str(to / "probe"), str(to / "x.npy"), str(to / "p.npy")]
        subprocess.run(command, check=True)
        outside = np.load(to / "p.npy", allow_pickle=False)
    difference = float(np.abs(outside - read_probe(run.probe).probabilities(x)).max())
    if difference > 1e-5:
        raise DigestMismatch(
            f"{name}@champion, pulled and read with numpy only, differs by {difference:.2g} (allowed: 0.00001)."
        )
    return difference


def pull_champion(settings: Settings, name: str, to: Path) -> None:
    """Pull ``name@champion`` as a pipeline on this machine would."""
    from attune.labeler.settings.secrets import load as load_secrets

    token = load_secrets(settings.secrets).machine_token
    pull(f"{name}@champion", to, url=settings.web_address, token=token, cache=settings.pull_cache)
