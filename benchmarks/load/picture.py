"""A soak drawn: memory, open files and waits over the time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.load.orders import KIND
from benchmarks.load.samples import Sample
from benchmarks.load.table import series

WAITS = ((KIND, "answer to new order"), ("console: page", "a console page"), ("pull", "a pull"))


def draw(kept: Sequence[Sample], to: Path) -> None:
    """Write the picture, by ``to``'s ending."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {
        "svg.hashsalt": "attune",
        "svg.fonttype": "none",  # words instead of their outlines: a quarter of the file
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(3, 1, figsize=(9, 9), sharex=True, layout="constrained")
    for axis, (unit, told) in zip(axes, (("memory", "own memory, MiB"), ("handles", "open files")), strict=False):
        for name in sorted({name for one in kept for name in one["parts"]}):
            at, values = series(kept, name, unit)
            axis.plot([seconds / 60 for seconds in at], values, label=name, linewidth=1.5)
        axis.set(ylabel=told)
    for kind, told in WAITS:
        there = [one for one in kept if one["waits"][kind]["n"]]
        minutes = [one["at"] / 60 for one in there]
        line = axes[2].plot(minutes, [one["waits"][kind]["p50"] for one in there], label=told, linewidth=1.5)[0]
        p95 = [one["waits"][kind]["p95"] for one in there]
        axes[2].plot(minutes, p95, ":", color=line.get_color(), linewidth=1.2)
    axes[2].set(xlabel="minutes", ylabel="seconds: p50, and p95 dotted", yscale="log")
    for axis in axes:
        axis.set_ylim(bottom=0 if axis is not axes[2] else None)
        axis.grid(alpha=0.25)
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(to, metadata={"Date": None} if to.suffix == ".svg" else None)
