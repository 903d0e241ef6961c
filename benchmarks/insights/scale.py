"""Many made-up rows: import with checks, aggregation, and effects of many features; seconds and peak memory.

The rows are those of ``weeks`` weeks of one pool, week after week: 5 images for each title, on 6 canvases, in 4
countries and on 2 devices. Ten million rows of one week and 100 million of ten weeks are of the same pool, 208,000
images of 42,000 titles.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import expit

from attune.labeler.insights import evidence, features, imported, questions, runs
from attune.labeler.jobs.jobs import quiet
from attune.labeler.people.viewer import Viewer
from attune.labeler.performance import checks, imports
from attune.labeler.performance.aggregate import aggregate
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import migrate, writing
from attune.labeler.settings import Settings
from attune.labeler.views.title import title_page
from attune.models.clock import now
from attune.models.errors import NotEnoughLabels
from attune.models.insights.corrected import corrected
from attune.models.insights.false_discovery import q_values
from attune.models.insights.outcomes import Floats, Outcomes
from attune.models.insights.probed import Probed, probed
from attune.models.insights.within_title import within_title
from benchmarks.pool_size.growth import growth

FEATURES, THREADS, AUDITS, TITLES = 200, 2, 465, 20
IMAGE = 48  # rows of a week
WHOLE, PAGES = ("bring", "features", "run", "rows"), ("bring", "run", "titles")  # the stages of what is asked for
PLANTED = 10  # takes more of an image with two faces, of 24 in 1,000: else no insight is there for a page of a title
MADE = """
    COPY (SELECT 'asset-' || (i // 48) AS asset_id, 'title-' || (i // 240) AS title_id, 'canvas-' || (i % 6) AS canvas,
        ['US', 'DE', 'JP', 'BR'][1 + (i // 6) % 4] AS country, ['tv', 'phone'][1 + (i // 24) % 2] AS device,
        'explore' AS arm, (DATE '2026-01-05' + (7 * week)::INTEGER)::VARCHAR AS period_start,
        (DATE '2026-01-12' + (7 * week)::INTEGER)::VARCHAR AS period_end,
        980 + hash(number) % 41 AS impressions, 10 + hash(number + 1) % 30 + {planted} * (i // 48 % 2) AS takes
    FROM (SELECT number, number // {of_week} AS week, number % {of_week} AS i FROM range({rows}) made (number)))
    TO '{path}' (HEADER)"""


def scale(rows: int, seed: int, weeks: int = 1, stages: Sequence[str] = WHOLE) -> dict[str, list[dict[str, Any]]]:
    """A row for each step of ``rows``, of a tenth and of a hundredth of them, with the exponent by which its processor
    time grows from the tenth: 1 is in proportion to the rows. ``growth``: a line through all three, and how much memory
    a million rows more take."""
    sizes = [_steps_of(max(size, 1), seed, weeks, stages) for size in (rows // 100, rows // 10, rows)]
    for small, large in zip(*sizes[1:], strict=True):
        large["exponent"] = math.log10(max(large["cpu"], 0.01) / max(small["cpu"], 0.01))
    return {
        "rows": [{name: one.get(name, "") for name in sizes[2][0]} for found in sizes for one in found],
        "growth": [_growth(one) for one in zip(*sizes, strict=True)],
    }


def _growth(step: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How one step grows with the rows, over its sizes, ascending."""
    line = growth({one["rows"]: [one["cpu"]] for one in step}) or {}
    small, large = step[-2:]
    more = 1024 * (large["peak_gib"] - small["peak_gib"]) / ((large["rows"] - small["rows"]) / 1e6)
    return {"step": large["step"], "exponent": line.get("exponent"), "lo": line.get("lo"), "hi": line.get("hi"),
            "mib_per_million_rows": more}  # fmt: skip


def _steps_of(rows: int, seed: int, weeks: int, stages: Sequence[str]) -> list[dict[str, Any]]:
    """All steps of ``stages``, each in a process of its own, whose peak memory is that of the stage so far."""
    with tempfile.TemporaryDirectory() as folder:
        planted = PLANTED if "titles" in stages else 0
        path = Path(folder) / "rows.csv"
        made = MADE.format(rows=rows, of_week=-(-rows // weeks), path=path, planted=planted)
        with duckdb.connect(config={"memory_limit": "500MB", "threads": 2}) as duck:
            duck.execute(made)
        images = -(-rows // weeks // IMAGE)
        found: list[dict[str, Any]] = []
        for stage in stages:
            made_of = f"Stage({folder!r}, {rows}, {images}, {seed})"
            code = f"from benchmarks.insights.scale import Stage, STAGES; STAGES[{stage!r}]({made_of})"
            subprocess.run([sys.executable, "-c", code], check=True)
            found += json.loads((Path(folder) / "found.json").read_text())
            path.unlink(missing_ok=True)  # imported: of many rows it is gigabytes
    return found


class Stage:
    """The steps of one process, written to found.json as they end."""

    def __init__(self, folder: str, rows: int, images: int, seed: int) -> None:
        self.folder, self.rows, self.images, self.seed = Path(folder), rows, images, seed
        self.found: list[dict[str, Any]] = []
        self.settings = Settings(workspace=self.folder / "workspace")

    def timed(self, name: str, begun: tuple[float, float]) -> None:
        seconds, cpu = (after - before for after, before in zip(_clocks(), begun, strict=True))
        peak = _peak() / 2**20
        self.found.append({"step": name, "rows": self.rows, "seconds": seconds, "cpu": cpu, "peak_gib": peak})
        (self.folder / "found.json").write_text(json.dumps(self.found))
        sys.stderr.write(f"{self.found[-1]}\n")


def _peak() -> int:
    """The most memory that this process ever held, in KiB. Not ``ru_maxrss``: that knows of the parent's, too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


def bring(stage: Stage) -> None:
    """Import and check the rows, and import a feature of two classes and a number."""
    settings = stage.settings
    migrate(settings)
    begun = _clocks()
    imports.add(settings, str(stage.folder / "rows.csv"))
    stage.timed("import", begun)
    second = _clocks()
    checks.check(settings)
    stage.timed("checks", second)
    stage.timed("import with checks", begun)
    rng, assets = np.random.default_rng(stage.seed), stage.images
    faces = np.array(["one", "two"])[np.arange(assets) % 2]
    values = {"faces": faces, "light": rng.standard_normal(assets)}
    for name, column in values.items():
        ids = [f"asset-{number}" for number in range(assets)]
        pq.write_table(pa.table({"asset_id": ids, "value": column}), stage.folder / f"{name}.parquet")
        imported.add(settings, str(stage.folder / f"{name}.parquet"), name, "bench")
        questions.register_features(settings, features.known(settings), name, "bench")


def every_feature(stage: Stage) -> None:
    """The sums by image and canvas, and effects of many features on them."""
    begun = _clocks()
    measured = aggregate(stage.settings)
    stage.timed("aggregate", begun)
    assert measured is not None
    begun = _clocks()
    q_values(every_p(measured.outcomes, len(measured.asset_ids), len(measured.canvases), stage.seed))
    stage.timed(f"{FEATURES} features, pooled and on {len(measured.canvases)} canvases", begun)


def rows_of_a_run(stage: Stage) -> None:
    """The rows as a run has them, and one correction."""
    begun = _clocks()
    rows_of_run = evidence.load(stage.settings)
    stage.timed("rows of a run, in their strata", begun)
    assert rows_of_run is not None
    begun = _clocks()
    corrected(rows_of_run.every, _probe(len(rows_of_run.asset_ids), stage.seed))
    stage.timed("one correction by audits", begun)


def whole_run(stage: Stage) -> None:
    """What `attune insights run` does: discovery, and answers to the questions of two features. Nothing is drawn."""
    begun = _clocks()
    runs.run(stage.settings, quiet)
    stage.timed("insights run, two features", begun)


def titles_pages(stage: Stage) -> None:
    """Pages of titles, as an owner opens them: what works, and how the title's own images did. No picture is read."""
    settings, titles = stage.settings, [f"title-{number}" for number in range(TITLES + 1)][: -(-stage.images // 5)]
    with writing(settings) as session:
        for number in range(5 * len(titles)):
            session.add(Asset(
                asset_id=f"asset-{number}", title_id=titles[number // 5], uri=f"file:///{number}.jpg",
                digest=f"{number:064x}", width=480, height=720, columns={}, added_at=now(),
            ))  # fmt: skip
    viewer, begun = Viewer("owner", "bench", 1), _clocks()
    title_page(settings, viewer, titles[0])
    stage.timed("page of a title, the first", begun)
    begun = _clocks()
    for title in titles[1:]:
        made = title_page(settings, viewer, title).brief
        assert made.own.images
        assert any(line.known for line in made.lines), "the values of its images were read"
    stage.timed(f"pages of {TITLES} more titles", begun)


STAGES = {"bring": bring, "features": every_feature, "run": whole_run, "titles": titles_pages, "rows": rows_of_a_run}


def _clocks() -> tuple[float, float]:
    """Seconds of the clock, and of the processor: of a busy machine, only the second say anything."""
    return time.perf_counter(), time.process_time()


def every_p(rows: Outcomes, assets: int, canvases: int, seed: int) -> list[float]:
    """The p value of each feature, of all canvases together and of each; two features at a time."""
    parts = [rows, *(rows.where(rows.canvas == canvas) for canvas in range(canvases))]

    def of(feature: int) -> list[float]:
        x = np.random.default_rng([seed, feature]).standard_normal(assets)
        return [_p(part, x[part.asset]) for part in parts]

    with ThreadPoolExecutor(THREADS) as pool:
        return [p for told in pool.map(of, range(FEATURES)) for p in told]


def _probe(assets: int, seed: int) -> Probed:
    """A property of three images in ten that a middling probe says, and audits of it."""
    rng = np.random.default_rng(seed)
    true = (rng.random(assets) < 0.3) * 1.0
    says = expit(1.8 * (1.8 * (true - 0.5) + rng.standard_normal(assets)) - 0.8)
    drawn = rng.choice(assets, min(AUDITS, assets // 2), replace=False)
    return probed(says, drawn, true[drawn], np.full(len(drawn), len(drawn) / assets))


def _p(rows: Outcomes, x: Floats) -> float:
    try:
        return within_title(rows, x).p
    except NotEnoughLabels:
        return float("nan")
