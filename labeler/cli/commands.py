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
    "up": Listed("up", "Start Redis, Label Studio, the console, the workers and the scheduler."),
    "demo": Listed("demo", "Start everything with the sample images, simulated experts and one published probe."),
    "doctor": Listed("doctor", "Check every service."),
    "config": Listed(
        "config",
        "Show the settings, and change the encoder.",
    ),
    "encoder": Listed("encoder", "List encoders, test one on this computer, and change the pool's encoder."),
    "assets": Listed("assets", "Add, list, read again and remove images of the pool."),
    "attribute": Listed("attribute", "Create, list, show and revise attributes, and set their decision thresholds."),
    "expert": Listed("expert", "Add, list, remove and erase experts, and include or exclude their answers."),
    "queue": Listed("queue", "List the experts' queues of an attribute, and stop or start one."),
    "user": Listed("user", "Add, list, change and remove logins of the console."),
    "token": Listed("token", "Create, list and revoke API tokens for pipelines."),
    "search": Listed(
        "search",
        "Find the images of the pool that are most similar to a TEXT, an asset, or an image file.",
        name="search",
    ),
    "recommend": Listed(
        "recommend",
        "Recommend titles to viewers from a file of what they watched, by the posters, with the reason.",
    ),
    "clusters": Listed(
        "clusters",
        "List clusters of similar images, with the most typical images of each; make, name and compare them.",
    ),
    "spaces": Listed(
        "spaces", "List the spaces of the pool, compute layers or colours, and learn and promote a taste space."
    ),
    "map": Listed("map", "Make a map of the pool, list the maps, and write one to a file."),
    "duplicates": Listed("duplicates", "List images that are nearly the same, and images that are unlike all others."),
    "performance": Listed("performance", "Import measured performance, check it, and list and remove imports."),
    "features": Listed(
        "features",
        "Measure images, import and remove features that Attune did not make, and list all that can be asked about.",
    ),
    "insights": Listed("insights", "Ask which artwork works, answer, and publish or retire the answers."),
    "brief": Listed(
        "brief",
        "Write a brief for the next artwork of TITLE: what works, what is missing, and for whom, with pictures.",
        name="brief",
    ),
    "members": Listed(
        "members", "Make groups of members by what they watch or which artwork they take, and forecast new titles."
    ),
    "pages": Listed("grid", "Give an expert pages of 12 images of NAME to answer at once.", name="pages"),
    "batch": Listed("loop", "Choose the next assets to ask about for NAME, and add them to every queue.", name="batch"),
    "learn": Listed("loop", "Train the probe of NAME on all answers, and reorder the queues.", name="learn"),
    "audit": Listed(
        "audit",
        "Request audit answers for NAME.",
        name="audit",
    ),
    "sync": Listed(
        "loop", "Read the answers to NAME, or to all attributes, from Label Studio into the records.", name="sync"
    ),
    "labels": Listed("labels", "Export and import labels, and list uncounted answers and suspected label errors."),
    "notices": Listed("notices", "List notices, and test their delivery by webhook and email."),
    "probes": Listed("probes", "List, compare, promote, roll back and retire probes, and set their gates."),
    "pull": Listed("pull", "Pull the files of a probe to a folder and check their digests.", name="pull"),
    "score": Listed(
        "score",
        "Score vectors or images with a probe and write feature values, one row per asset and class.",
        name="score",
    ),
    "embed": Listed(
        "vectors",
        "Embed the images at PATH (folders, files, URLs) and write their vectors to a file.",
        name="embed",
    ),
    "vectors": Listed("vectors", "Export the pool's vectors to a file."),
    "log": Listed("log", "Show who saw and exported which images and figures.", name="log"),
    "backup": Listed("backup", "Back up the whole workspace to a new FOLDER.", name="backup"),
    "restore": Listed("backup", "Restore the backup in FOLDER into a new workspace.", name="restore"),
    "records": Listed("backup", "Copy the records to another database.", name="records"),
}
