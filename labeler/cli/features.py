"""`attune features`: measure the images, bring features that Attune did not make, and list all that there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attune.labeler.attributes import audit_batches
from attune.labeler.cli.engine_option import ENGINE, ask, on_engine
from attune.labeler.cli.shell import OUTPUT, Group, Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.cli.text_tables import Table
from attune.labeler.cli.vectors import name_left_out
from attune.labeler.insights import audited, features, imported, questions, removing
from attune.labeler.insights.known import Known
from attune.labeler.jobs import jobs
from attune.labeler.measured.exported import as_table
from attune.labeler.measured.spread import spread
from attune.labeler.measured.values import SHORT, coverage, measured
from attune.labeler.performance.faults import summary
from attune.models.files.table_output import write_table
from attune.models.measured.eye_checks import CHECKS
from attune.models.measured.measures import OBJECTS
from attune.models.measured.objects import DRAFT, phrased
from attune.models.text import plural

if TYPE_CHECKING:
    from attune.labeler.measured.checked import Checked


@click.group(cls=Group)
def command() -> None:
    """Measure images, import and remove features that Attune did not make, and list all that can be asked about."""


@attune_command(command, "import", workspace="made", example="attune features import faces.parquet --name faces")
@click.argument("file", metavar="FILE")
@click.option("--name", help="What to call the feature. Default: the name of FILE.")
@click.option(
    "--means", default="", help="What the feature means, in one sentence. Insights show it. A new version keeps it."
)
def import_(shell: Shell, file: str, name: str | None, means: str) -> None:
    """Import FILE (CSV or Parquet, a path or an address) with the columns asset_id and value.

    Values are numbers, or classes such as yes and no. Assets need no image. The same name again makes a new version. A
    feature with two classes or numbers brings its question along: it is frozen now, before anyone has looked.
    """
    called = name or named_after(file)
    done = imported.add(shell.settings, file, called, who(), means)
    row = done.row
    asked = None
    if not done.again:
        asked = questions.register_features(shell.settings, features.known(shell.settings), called, who())
    value = {
        "feature": row.name, "version": row.version, "again": done.again, "rows": row.rows, "classes": row.classes,
        "left_out": summary(done.faults), "digest": row.file, "question": asked.row.id if asked else None,
        "means": row.means,
    }  # fmt: skip
    if not row.means:
        shell.hint(
            f"Nothing says what {row.name} means. Say it, and insights show it: `attune features import {file} --name "
            f'{row.name} --means "..."`'
        )
    if done.again:
        same = "Its values did not change." if means else "Nothing changed."
        shell.result(value, f"{file} is {row.name} version {row.version} already. {same}")
        for fault in done.faults:
            shell.hint(fault.text)
        return
    kinds = f"classes {', '.join(row.classes)}" if row.classes else "numbers"
    left = sum(fault.rows for fault in done.faults)
    missing = f" {plural(left, 'row')} left out." if left else ""
    shell.result(value, f"{row.name} version {row.version}: {plural(row.rows, 'asset')}, {kinds}.{missing}")
    for fault in done.faults:
        shell.hint(fault.text)
    if asked and not asked.again:
        shell.hint(f"Question {asked.row.id} is frozen: {asked.row.contrast}. To answer it: `attune insights run`")


@attune_command(command, "measure", example='attune features measure --object "a dog"')
@click.option(
    "--object", "objects", multiple=True, metavar="PHRASE | NAME=PHRASE",
    help="Only guess which images show this, from its words. Repeat the option for more objects, or for more phrases "
    "of one NAME.",
)  # fmt: skip
@ENGINE
def measure(shell: Shell, objects: tuple[str, ...], engine: str | None) -> None:
    """Measure colour, light, texture, composition and faces of every image that was not measured yet.

    If the command stops, run it again to continue. Faces are counted and placed; nobody is recognised. An object is a
    draft until people have checked it: no insight uses it before.
    """
    phrased(objects)  # what cannot be read is said before a worker is asked
    named: dict[str, Any] = {"objects": list(objects)} if objects else {}
    with shell.progress("Measuring") as report:
        done = ask(on_engine(shell, engine), "measure", report, **named)
    if "measured" in done:
        images, _ = coverage(shell.settings)
        text = f"{plural(done['measured'], 'image')} measured, {images:,} in all."
        shell.result(done, text if not objects else "\n".join(guessed(one) for one in done["objects"]))
        name_left_out(shell, done["left_out"])
        for one in done["objects"]:
            hint_of_object(shell, one, new=bool(objects))


def guessed(one: Mapping[str, Any]) -> str:
    """What was measured of an object, as `ObjectDone` says it."""
    words = " or ".join(f"“{phrase}”" for phrase in one["phrases"])
    new = f"{plural(one['measured'], 'image')} measured, {one['images']:,} in all"
    return f"{one['name']} version {one['version']}, from the words {words}: {new}, {one['yes']:,} with yes."


def hint_of_object(shell: Shell, one: Mapping[str, Any], new: bool) -> None:
    """What to know of it, and to do next."""
    if one["problem"]:
        shell.hint(f"{one['name']} was left as it was. {one['problem']}")
    if one["without"]:
        shell.hint(f"{plural(one['without'], 'image')} without {one['name']}: no vector yet, so measure again later.")
    if new and one["unknown"]:
        words = " and ".join(f"“{phrase}”" for phrase in one["unknown"])
        shell.hint(f"The demo's encoder knows only its own drawings, and never saw the words {words}.")
    if new:
        shell.hint(
            f"{one['name']} is a draft: about one image in ten gets yes, however many show it. Let experts check it: "
            f"`attune features audit {one['name']} --size 120`"
        )


@attune_command(command, "show", example="attune features show faces")
@click.argument("name")
@click.option("--to", type=OUTPUT, help="File to write the values to: .csv or .parquet.")
def show(shell: Shell, name: str, to: Path | None) -> None:
    """Show how the values of the measured feature NAME lie and how often people agree, or write them to a file."""
    from attune.labeler.measured.checked import checked  # what judges answers takes seconds to load

    one = measured(shell.settings, name)
    if to is not None:
        rows = write_table(to, as_table(shell.settings, one))
        shell.written(to, {"feature": name, "to": str(to), "rows": rows}, f"{plural(rows, 'value')} written to {to}.")
        return
    asked = checked(shell.settings, name)
    draft = one.measure.group == OBJECTS and (asked is None or asked.draft)
    told = spread(one) | {"checked": asked.as_json() if asked else None, "draft": draft}
    unit = "" if one.measure.classes else f" ({one.measure.unit})"
    head = f"{name}{unit}: {plural(told['images'], 'image')} of {one.images:,} measured, version {one.version[:SHORT]}"
    shell.result(told, table(("value", "images" if one.measure.classes else "figure"), told["rows"], head))
    if not shell.json:
        shell.result(None, _checked(name, asked, one.measure.group == OBJECTS))
        if asked and asked.later:
            shell.hint(asked.later)
    if not told["images"]:
        shell.hint("Nothing is measured yet: `attune features measure`")


def _checked(name: str, asked: Checked | None, guessed: bool) -> str | Table:
    """What people said of the feature; ``guessed``: of an object."""
    from attune.labeler.measured.checked import NOT_YET

    if asked is None:
        by_eye = guessed or name in CHECKS
        size = " --size 120" if guessed else ""  # some are unsure, and a figure takes 60 that are not
        way = f"Ask experts: `attune features audit {name}{size}`" if by_eye else "Nobody can judge it by eye."
        return f"{DRAFT if guessed else NOT_YET} {way}"
    if not asked.found.n:
        return asked.sentence
    columns = ("measured", "people agree", *(f"say {one}" for one in asked.check.classes))
    return table(columns, [(one, share, *counts) for one, share, counts in asked.rows], asked.sentence)


@attune_command(command, "audit", example="attune features audit faces --size 60")
@click.argument("name")
@click.option(
    "--size", "--images", default=60, show_default=True, type=int,
    help="Number of further images to check. Where fewer are left, these.",
)  # fmt: skip
@click.option(
    "--expert", "experts", multiple=True,
    help="Email address of an expert who answers. Repeat the option for more. Default: all who answer every question.",
)  # fmt: skip
@click.option("--no-wait", is_flag=True, help="Do not wait for the run that draws the images.")
def audit(shell: Shell, name: str, size: int, experts: tuple[str, ...], no_wait: bool) -> None:
    """Ask experts what they see, to check the measured feature NAME.

    Attune draws images of each value, at random and with known chances, and asks about them on the labelling page.
    Experts do not see what was measured. Insights on NAME are corrected once 60 images with performance are checked.
    """
    from attune.labeler.measured import checks

    done = checks.request(shell.settings, name, size, experts)
    with shell.progress(f"audit {name}") as report:
        run = jobs.ask(shell.settings, "learn", report, wait=not no_wait, attribute=done.attribute)
    value = {"feature": name, "question": done.attribute, "size": done.granted, "experts": list(experts), "round": run}
    begin = f"The question {done.attribute} was created. " if done.made else ""
    granted = audit_batches.requested(size, done.granted).replace("audit answer", "answer")
    shell.result(value, f"{begin}{granted} To see how often people agree: `attune features show {name}`")


@attune_command(command, "remove", example='attune features remove smiles --reason "wrong file"')
@click.argument("name")
@click.option("--reason", required=True, help="Why, for whoever looks for it later.")
def remove(shell: Shell, name: str, reason: str) -> None:
    """Remove the imported feature or the object NAME: no list, form or run has it any more.

    Its versions, questions and insights stay in the history. While an insight on it is published, or experts check it,
    it stays.
    """
    done = removing.remove(shell.settings, name, reason, who())
    value = {"feature": name, "kind": done.kind, "version": done.version, "questions": done.questions}
    shell.result(value, f"{name} removed. Version {done.version} was its last, and its history stays.")
    if done.questions:
        shell.hint(f"{plural(len(done.questions), 'question')} about it will have no figure: `attune insights run`")


def _asked(one: Known, draft: bool) -> str:
    """Who was asked about a feature, in a word or a few."""
    if one.unchecked:
        return DRAFT.removesuffix(".").lower()
    return f"draft: {one.audited_by}" if draft else one.audited_by or "no"


def named_after(file: str) -> str:
    """A name of a feature from that of its file."""
    stem = Path(file.rstrip("/").rpartition("/")[2]).stem.lower()
    return re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:40] or "feature"


@attune_command(command, "list", example="attune features list")
def list_(shell: Shell) -> None:
    """List the features that can be asked about: imported, measured, and attributes with a champion."""
    found = features.known(shell.settings)
    rows: list[dict[str, Any]] = [
        {"feature": one.name, "kind": one.kind, "version": one.version, "classes": list(one.classes),
         "digest": one.digest, "means": one.means, "audited_by": one.audited_by or None,
         "draft": audited.is_draft(shell.settings, one)}
        for one in found.values()
    ]  # fmt: skip
    cells = [
        (one.name, one.kind, one.version, ", ".join(one.classes) or "a number", _asked(one, row["draft"]))
        for one, row in zip(found.values(), rows, strict=True)
    ]
    shell.result({"features": rows}, table(("feature", "from", "version", "values", "asked of people"), cells))
    for one in found.values():
        if not one.means:
            shell.hint(
                f"Nothing says what {one.name} means. Say it, and insights show it: `attune features import FILE "
                f'--name {one.name} --means "..."`'
            )
    if not rows:
        shell.hint(
            "There is no feature yet. Measure the images: `attune features measure`. Or bring one: "
            "`attune features import FILE --name NAME`"
        )
