"""`attune attribute revise` and `revisions`: change a question, and look at how it came to be what it is."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import click

from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.attributes.attributes import Definition
from attune.labeler.cli.attribute_group import by_class, command
from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.records.session import reading
from attune.labeler.views.revisions import revisions_of
from attune.models.errors import DataError
from attune.models.text import plural

REVISE = """attune attribute revise serious --reason "Experts asked for a third" --add unclear \\
      --hold serious"""


@attune_command(command, "revise", example=REVISE)
@click.argument("name")
@click.option("--reason", required=True, help="Reason for the change, for the history.")
@click.option("--question", help="Sentence that experts read above each image.")
@click.option("--definition", help="What the question means, in a few sentences.")
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="New name of a class. Its answers stay valid.")
@click.option("--add", "added", multiple=True, metavar="CLASS", help="New class.")
@click.option(
    "--remove", "removed", multiple=True, metavar="CLASS[=OTHER]", help="Class to remove. OTHER gets its answers."
)
@click.option(
    "--hold",
    default="all",
    show_default=True,
    help="Which answers stay valid: all, none, or old classes separated by commas.",
)
@click.option(
    "--in-scope", multiple=True, help="Example that counts. Replaces all current ones. Repeat the option for more."
)
@click.option(
    "--out-of-scope",
    multiple=True,
    help="Example that does not count. Replaces all current ones. Repeat the option for more.",
)
@click.option(
    "--positive",
    multiple=True,
    help="Prompt of the first class. Replaces all current ones. Repeat the option for more.",
)
@click.option(
    "--negative", multiple=True, help="Prompt for near misses. Replaces all current ones. Repeat the option for more."
)
@click.option(
    "--prompt",
    "phrases",
    multiple=True,
    callback=by_class,
    help="Prompt of a class as CLASS=PROMPT. Replaces all current ones. Repeat the option for more.",
)
@click.option("--dry-run", is_flag=True, help="Only show the effect on the answers. Change nothing.")
def revise(shell: Shell, name: str, reason: str, hold: str, dry_run: bool, **options: Any) -> None:
    """Make a new revision of the attribute NAME, and say which answers stay valid. The champion does not change."""
    with reading(shell.settings) as session:
        current = revise_attribute.definition_of(attributes.find(session, name))
    definition, into = _changed(current, options)
    holding: Any = hold if hold in {"all", "none"} else [part.strip() for part in hold.split(",")]
    if dry_run:
        changed, done = revise_attribute.preview(shell.settings, definition, into, holding)
        value: dict[str, Any] = {"name": name, "changed": list(changed), **asdict(done)}
        return shell.result(value, f"{name} would change: {', '.join(changed) or 'nothing'}.\n  {_effect(done)}")
    revised = revise_attribute.revise(shell.settings, definition, reason, into, holding)
    value = {"name": name, "revision": revised.revision, "changed": list(revised.changed), **asdict(revised.effect)}
    shell.result(
        value, f"{name} is at revision {revised.revision}: {', '.join(revised.changed)}.\n  {_effect(revised.effect)}"
    )
    shell.hint(f"The probe trains on the valid answers. To see the history: `attune attribute revisions {name}`")


def _changed(current: Definition, options: dict[str, Any]) -> tuple[Definition, dict[str, str]]:
    """The definition that the options ask for, and which class each old one became."""
    into = dict(_pair(text, "--rename") for text in options["rename"])
    removed = {old.strip(): other.strip() for old, _, other in (text.partition("=") for text in options["removed"])}
    for class_name in [*into, *removed]:
        if class_name not in current.classes:
            raise DataError(
                f"Classes: {class_name!r} is not a class of {current.name}. "
                f"Its classes are {', '.join(current.classes)}."
            )
    classes = [into.get(class_name, class_name) for class_name in current.classes if class_name not in removed] + list(
        options["added"]
    )
    phrases = {
        into.get(class_name, class_name): texts
        for class_name, texts in current.class_prompts.items()
        if class_name not in removed
    }
    change: dict[str, Any] = {"classes": classes, "class_prompts": options["phrases"] or phrases}
    change |= {key: options[key] for key in ("question", "definition") if options[key] is not None}
    change |= {key: list(options[key]) for key in ("in_scope", "out_of_scope", "positive", "negative") if options[key]}
    sent = {class_name: into.get(other, other) for class_name, other in removed.items() if other}
    return replace(current, **change), into | sent


def _pair(text: str, option: str) -> tuple[str, str]:
    old, separator, new = text.partition("=")
    if not separator or not old.strip() or not new.strip():
        raise click.UsageError(f"{option} {text!r} is not of the form OLD=NEW. For example: --rename romance=love.")
    return old.strip(), new.strip()


def _effect(done: revise_attribute.Effect) -> str:
    sentences = [f"{plural(done.kept, 'answer')} stay{'s' if done.kept == 1 else ''} valid"]
    sentences += [f"{count} {old} become {new}" for old, (new, count) in done.renamed.items()]
    sentences += [f"{count} {old} end" for old, count in done.ended.items()]
    return "; ".join(sentences) + "."


@attune_command(command, "revisions", example="attune attribute revisions serious")
@click.argument("name")
@click.option("--before", type=int, help="Revision to compare from. Default: the revision before the last.")
@click.option("--after", type=int, help="Revision to compare with. Default: the last.")
def revisions(shell: Shell, name: str, before: int | None, after: int | None) -> None:
    """List the revisions of the attribute NAME, and compare two of them."""
    revisions_found = revisions_of(shell.settings, name, before, after)
    cells = [
        (
            line.number,
            line.reason,
            ", ".join(line.changed),
            ", ".join(line.ended),
            line.runs,
            f"{line.created_at:%Y-%m-%d}",
        )
        for line in revisions_found.lines
    ]
    shell.result(asdict(revisions_found), table(("revision", "why", "changed", "answers ended", "runs", "on"), cells))
    for change in revisions_found.changes:
        signs = [f"  - {line}" for line in change.gone] + [f"  + {line}" for line in change.come]
        shell.hint("\n".join([f"{change.label} ({revisions_found.before} to {revisions_found.after}):", *signs]))
