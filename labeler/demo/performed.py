"""The demo's performance, which is made up: three questions about the sample images, one of them a trap.

Titles that are popular happen to be set in nature, so all films mixed say that nature works. Within a title such
images are taken less often. Compared within titles, the trap does not work.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from attune.labeler.insights import features, imported, insights, questions, simulated
from attune.labeler.insights.amounts import change
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.performance import imports
from attune.labeler.performance.imports import active
from attune.labeler.performance.simulated import is_simulated
from attune.labeler.records.session import reading
from attune.labeler.sample.catalogue import Catalogue, Truth
from attune.labeler.settings import Settings
from attune.models.insights.simulate_pool import Property, simulate_pool

SEED = 7
TRAP = "in-nature"
NATURE = {"beach", "desert", "forest", "garden", "mountains"}
WHO = "the demo"
HAS: dict[str, Callable[[Truth], bool]] = {
    "one-person": lambda truth: truth.people == 1,
    TRAP: lambda truth: truth.setting in NATURE,
    "close-couple": lambda truth: truth.value("romance") == "romance",
}
MEANS = {
    "one-person": "One person alone is on the artwork.",
    TRAP: "The scene is in nature: a beach, a desert, a forest, a garden or mountains.",
    "close-couple": "People who stand close, lean together or touch like a couple, whatever their faces say.",
}
README = """# The demo's performance is made up

Attune made these files. The images are the demo's; how often they were shown and taken is invented (seed {seed}).

| feature | what is true within a title | what all films mixed say |
|---|---|---|
{rows}

*{trap}* (beach, desert, forest, garden, mountains) is a trap. Popular titles of the sample are more often set there, so
such images look good. They are not.
In *close-couple*, titles differ: in some of them it is the other way round.
"""


def add(settings: Settings, catalogue: Catalogue, report: Report) -> None:
    """Make up performance of the sample images, import it, and answer the three questions.

    Killed and called again, it continues; once a run has answered, or where somebody brought performance of their own,
    it does nothing.
    """
    with reading(settings) as session:
        if insights.last_run(session) is not None or (active(session) and not is_simulated(session)):
            return
    folder = settings.workspace / "sample-catalogue" / "performance"
    if not (folder / simulated.TRUTH).is_file():
        write(folder, catalogue)
    report(1, 3)
    imports.add(settings, str(folder / simulated.PERFORMANCE), who=WHO)
    for name in HAS:
        imported.add(settings, str(folder / f"{name}.csv"), name, WHO, MEANS[name])
        questions.register_features(settings, features.known(settings), name, WHO)
    report(2, 3)
    jobs.ask(settings, "insights", who=WHO)
    report(3, 3)


def write(folder: Path, catalogue: Catalogue) -> None:
    """Make up takes of the catalogue's images, and write them with what is true."""
    truths = list(catalogue.truths.values())
    assets, titles = (np.array([getattr(one, name) for one in truths]) for name in ("asset_id", "title_id"))
    has = {name: np.array([float(is_so(one)) for one in truths]) for name, is_so in HAS.items()}
    rows, told = simulate_pool(assets, titles, [
        Property("one-person", has["one-person"], 0.12),
        Property(TRAP, has[TRAP], -0.07, tied=0.2),
        Property("close-couple", has["close-couple"], 0.15, spread=0.25),
    ], seed=SEED)  # fmt: skip
    table = "\n".join(f"| {one.name} | {change(one.effect)} | {change(one.pooled)} |" for one in told)
    files = [simulated.Feature(name, assets, column) for name, column in has.items()]
    truth = {"seed": SEED, "features": simulated.truths_as_json(told)}
    simulated.write_files(folder, rows, files, truth, README.format(seed=SEED, rows=table, trap=TRAP))


def told(settings: Settings) -> list[dict[str, Any]]:
    """The demo's insights, surest first: what each says, its figures, and all films mixed."""
    return [
        {"feature": one.question.feature, "estimate": one.figures["estimate"], "ci": one.figures.get("ci"),
         "naive": one.figures.get("naive"), "grade": one.newest.grade, "enough": one.enough}
        for one in insights.listed(settings) if one.question.feature in HAS
    ]  # fmt: skip
