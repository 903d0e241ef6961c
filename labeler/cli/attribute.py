"""`attune attribute`: make an attribute, look at one, list all."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting
from attune.labeler.attributes import attributes, audit_lot
from attune.labeler.attributes.attributes import Definition
from attune.labeler.cli import attribute_revisions, attribute_scope, threshold  # noqa: F401 - they add their commands to the group
from attune.labeler.cli.attribute_group import by_class, command
from attune.labeler.cli.attribute_text import attribute_lines
from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import experts
from attune.labeler.queues import queues
from attune.labeler.records.schema import Attribute, Run
from attune.labeler.records.session import reading, writing
from attune.models.errors import AttuneError
from attune.models.evaluation.metrics import is_early

EXAMPLE = """attune attribute create serious --question "Is the expression serious?" \\
      --classes "serious,not serious" \\
      --positive "a serious face" --negative "a smiling face\""""


def _split(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


@attune_command(command, "create", example=EXAMPLE)
@click.argument("name")
@click.option("--question", required=True, help="Sentence that experts read above each image.")
@click.option(
    "--classes",
    required=True,
    callback=_split,
    help="Two or more classes, separated by commas. Of two, the first is the positive class.",
)
@click.option("--definition", default="", help="What the question means, in a few sentences.")
@click.option("--in-scope", multiple=True, help="Example that counts. Repeat the option for more.")
@click.option("--out-of-scope", multiple=True, help="Example that does not count. Repeat the option for more.")
@click.option(
    "--positive", multiple=True, help="Prompt that describes images of the first class. Repeat the option for more."
)
@click.option("--negative", multiple=True, help="Prompt that describes near misses. Repeat the option for more.")
@click.option(
    "--prompt",
    "by_class",
    multiple=True,
    callback=by_class,
    help="Prompt of a class as CLASS=PROMPT, for three or more classes. Repeat the option for more.",
)
def create(shell: Shell, name: str, by_class: dict[str, list[str]], **options: Any) -> None:
    """Create the attribute NAME, with a queue for each expert."""
    definition = Definition(name=name, class_prompts=by_class, **options)
    with writing(shell.settings) as session:
        attributes.create(session, definition, shell.settings)
    queue_states: dict[str, str] = {}
    try:
        ls = LabelStudio.connect(shell.settings)
        with reading(shell.settings) as session:
            anybody = attributes.find(session, name) and queues.experts_without_queue(
                session, attributes.find(session, name)
            )
        if anybody:
            queues.ensure(shell.settings, ls, name)
            queue_states = {expert["email"]: expert["queues"].get(name, "") for expert in experts.every(shell.settings)}
    except AttuneError as error:
        raise type(error)(
            f"The attribute {name} was created, but not its queues. {error} To create them: `attune batch "
            f"{name} --size 40`"
        ) from error
    lines = [
        f"The attribute {name} was created. Question: {definition.question}  Classes: {', '.join(definition.classes)}"
    ]
    lines += [f"  {email}: {link}" for email, link in queue_states.items()]
    shell.result(
        {"name": name, "classes": list(definition.classes), "revision": 1, "queues": queue_states}, "\n".join(lines)
    )
    if not queue_states:
        shell.hint(f"No expert has a queue yet. Add one: `attune expert add EMAIL --attribute {name}`")
    else:
        shell.hint(f"Next, fill the queues: `attune batch {name} --size 40`")


@attune_command(command, "list", example="attune attribute list")
def list_(shell: Shell) -> None:
    """List every attribute with its answers and newest metrics."""
    with reading(shell.settings) as session:
        rows = [facts(session, attribute) for attribute in attributes.every(session)]
    columns = ("name", "question", "classes", "answers", "run", "AP", "from", "to")
    cells = [
        (r["name"], r["question"], ", ".join(r["classes"]), r["answers"], r["run"], *_interval(r["average_precision"]))
        for r in rows
    ]
    shell.result(rows, table(columns, cells))
    if not rows:
        shell.hint("No attributes yet. Create one: `attune attribute create NAME --question Q --classes a,b`")


def _interval(metric: dict[str, Any] | None) -> tuple[float | None, float | None, float | None]:
    if not metric:
        return None, None, None
    # The middle of an early figure is too high on average: only its interval is worth a look.
    return None if is_early(metric) else metric["value"], metric["lo"], metric["hi"]


def facts(session: Session, attribute: Attribute) -> dict[str, Any]:
    """What one line about an attribute says."""
    run = session.scalar(select(Run).where(Run.attribute_id == attribute.id).order_by(Run.number.desc()).limit(1))
    return {
        "name": attribute.name,
        "question": attribute.question,
        "classes": attribute.classes,
        "revision": attribute.revision,
        "answers": counting.total(session, attribute.id),
        "run": run.number if run else None,
        "average_precision": run.metrics.get("average_precision") if run else None,
    }


@attune_command(command, "show", example="attune attribute show serious")
@click.argument("name")
def show(shell: Shell, name: str) -> None:
    """Show the attribute NAME and its progress."""
    with reading(shell.settings) as session:
        attribute = attributes.find(session, name)
        run = session.scalar(select(Run).where(Run.attribute_id == attribute.id).order_by(Run.number.desc()).limit(1))
        value = facts(session, attribute) | {
            "definition": attribute.definition,
            "in_scope": attribute.in_scope,
            "out_of_scope": attribute.out_of_scope,
            "prompts": attribute.prompts,
            "labels": run.labels if run else {},
            "metrics": run.metrics if run else {},
            "advice": run.advice if run else {},
        }
    value["queues"] = {
        expert["email"]: expert["queues"][name] for expert in experts.every(shell.settings) if name in expert["queues"]
    }
    shell.result(value, attribute_lines(value))


@attune_command(command, "redraw", example="attune attribute redraw serious")
@click.argument("name")
def redraw(shell: Shell, name: str) -> None:
    """Reserve other titles of NAME for audits.

    For an attribute from an older version, whose reserved titles somebody could work out. It works only while nobody
    has answered an audit task of NAME and no version of NAME is published.
    """
    done = audit_lot.redraw(shell.settings, name)
    outcome = (
        "reserves other titles now. The next run draws the audits from them."
        if done
        else "uses the newest key already."
    )
    shell.result({"name": name, "redrawn": done}, f"{name} {outcome}")
