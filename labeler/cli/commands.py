"""The list of `attune`'s commands: where each one is, and the sentence that `attune --help` shows of it.

The sentences are written down here a second time, so that the list needs none of the modules: they load half of Attune.
A test compares them with each command's own help.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import click


@dataclass(frozen=True)
class Listed:
    """A command of the list: the ``module`` of this room that holds it under ``name``, and its short help."""

    module: str
    about: str
    name: str = "command"

    def load(self) -> click.Command:
        """The command itself."""
        found: click.Command = getattr(importlib.import_module(f"attune.labeler.cli.{self.module}"), self.name)
        return found


# In the order of a first use.
COMMANDS = {
    "up": Listed(
        "up", "Start and watch Redis, Label Studio, the web app, the workers and the schedule; Ctrl-C stops them all."
    ),
    "demo": Listed(
        "demo", "Start everything with the sample catalogue: drawings, simulated experts, one published probe."
    ),
    "doctor": Listed("doctor", "Check every part; the exit code is 1 where something is broken."),
    "config": Listed(
        "config",
        "Look at the settings (argument over environment over workspace over default), and change the encoder.",
    ),
    "encoder": Listed("encoder", "See which encoders there are, try one on this machine, change the pool to another."),
    "assets": Listed("assets", "Add images to the pool, list them, remove them."),
    "attribute": Listed("attribute", "Make the questions that experts answer about images, and look at them."),
    "expert": Listed("expert", "Add the people who answer, list them, remove them."),
    "user": Listed("user", "Make the console's logins, list them, take them away."),
    "token": Listed("token", "Make the tokens that other machines show to pull, list them, revoke them."),
    "search": Listed(
        "search", "Find the images of the pool that are most like a TEXT, an asset, or an image file.", name="search"
    ),
    "clusters": Listed(
        "search",
        "Cut the pool into parts that look alike, and list them with their most typical images.",
        name="clusters",
    ),
    "pages": Listed(
        "grid", "Put pages of images about NAME before an expert: tick every one that fits, and submit.", name="pages"
    ),
    "batch": Listed("loop", "Choose what to ask next about NAME and put it into every expert's queue.", name="batch"),
    "learn": Listed("loop", "Learn from every answer about NAME so far and reorder the queues.", name="learn"),
    "audit": Listed(
        "audit",
        "Measure the probe of NAME: put audit questions first in the experts' queues, who do not see that they are "
        "some.",
        name="audit",
    ),
    "sync": Listed("loop", "Bring what Label Studio holds (of NAME, or of all) into the records.", name="sync"),
    "labels": Listed(
        "labels", "Labels: export an attribute's answers, import a labelled set, see which answers are left out."
    ),
    "notices": Listed("notices", "Notices: what happened lately, and a test of webhook and mail."),
    "probes": Listed(
        "probes", "List, compare, promote, roll back and retire probes, and set the gates they have to pass."
    ),
    "pull": Listed("pull", "Fetch a probe's files, check their digests and put them into a folder.", name="pull"),
    "score": Listed(
        "score",
        "Score vectors or images with a probe and write feature values, one row an asset and class.",
        name="score",
    ),
    "embed": Listed(
        "vectors",
        "Write the vectors of the images at PATH (folders, files, addresses) to a file; the pool stays as it is.",
        name="embed",
    ),
    "vectors": Listed("vectors", "Take the pool's vectors out into a file."),
}
