"""``python -m benchmarks.label_efficiency.curves --json RESULT --to FILE.svg``: average precision by labels, drawn.

One panel a batch size, each of the campaigns that all its methods ran; no figure is drawn that the tables do not hold.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import numpy as np

# Methods by batch size, in the order of the legend: name in the rows, name for people, colour, dashes.
PANELS: dict[int, tuple[tuple[str, str, str, str], ...]] = {
    20: (
        ("attune_catalogue", "Attune with a catalogue", "#8a2c0d", "--"),
        ("attune", "Attune", "#8a2c0d", "-"),
        ("modal_margin", "modAL margin", "#1f4e79", "-"),
        ("rocchio_few_shot", "Rocchio few-shot", "#6b7f3a", "-"),
        ("va_four_feeds", "Video Annotator", "#7a4b8c", "-"),
        ("random", "random", "#777777", "-"),
    ),
    1: (
        ("attune", "Attune", "#8a2c0d", "-"),
        ("modal_margin", "modAL margin", "#1f4e79", "-"),
        ("random", "random", "#777777", "-"),
    ),
}
Curves = dict[str, dict[int, float]]


def common(rows: list[dict[str, Any]], batch: int) -> tuple[Curves, int]:
    """The mean AP by method and number of labels over the campaigns that every method of the panel ran, and how many.

    Raises ValueError where a method has no campaign.
    """
    found: dict[str, dict[tuple[str, str, int], dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if row["batch"] == batch:
            found[row["method"]][row["data"], row["attribute"], row["seed"]][row["labels"]] = row["average_precision"]
    names = [name for name, *_ in PANELS[batch]]
    if missing := [name for name in names if not found[name]]:
        raise ValueError(f"There is no campaign of {', '.join(missing)} with batch {batch}.")
    shared = set.intersection(*(set(found[name]) for name in names))
    counts = sorted(set.intersection(*(set(found[name][key]) for name in names for key in shared)))
    means = {
        name: {count: float(np.mean([found[name][key][count] for key in shared])) for count in counts} for name in names
    }
    return means, len(shared)


@click.command()
@click.option("--json", "source", required=True, type=click.Path(exists=True, dir_okay=False), help="What a run wrote.")
@click.option("--to", required=True, type=click.Path(dir_okay=False), help="An .svg or .png.")
def main(source: str, to: str) -> None:
    """Draw the learning curves of a finished benchmark."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {
        "svg.hashsalt": "attune",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    from matplotlib import pyplot

    rows = json.loads(Path(source).read_text())["rows"]
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(11, 4.4), sharey=True, layout="constrained")
    for axis, (batch, methods) in zip(axes, PANELS.items(), strict=True):
        means, campaigns = common(rows, batch)
        for name, told, colour, dashes in methods:
            axis.plot(list(means[name]), list(means[name].values()), dashes, color=colour, label=told, linewidth=1.8)
        axis.set(xscale="log", xlabel="labels, audits counted", title=f"batch {batch}, {campaigns} campaigns")
        axis.set_xticks([20, 40, 60, 100, 200, 400], labels=["20", "40", "60", "100", "200", "400"], minor=False)
        axis.minorticks_off()
        axis.grid(alpha=0.25)
        axis.legend(frameon=False, loc="upper left")
    axes[0].set_ylabel("mean average precision on test titles")
    figure.savefig(to, metadata={"Date": None} if to.endswith(".svg") else None)


if __name__ == "__main__":
    main()
