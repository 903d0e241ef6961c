"""`attune expert`: who answers, with which queues. What erases a person is in `expert_erase`."""

from __future__ import annotations

from dataclasses import asdict

import click

from attune.labeler.answers import exclude_expert
from attune.labeler.cli import expert_erase  # noqa: F401 - it adds its commands to the group
from attune.labeler.cli.expert_group import command
from attune.labeler.cli.shell import Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.people import experts, login_links
from attune.models.text import plural


@attune_command(command, "add", example="attune expert add ana@studio.example --attribute serious")
@click.argument("email")
@click.option(
    "--attribute",
    "wanted",
    multiple=True,
    help="Attribute that the expert answers. Repeat the option for more. Default: all, also later ones.",
)
@click.option("--name", help="Name of the person in the console. Default: the first part of the email address.")
def add(shell: Shell, email: str, wanted: tuple[str, ...], name: str | None) -> None:
    """Add the expert EMAIL: a login, and a queue for each attribute."""
    added = experts.add(shell.settings, email, wanted, name)
    lines = [f"{added.name} <{added.email}>", f"  console:  {added.console}"]
    if added.password:
        lines.append(f"  password: {added.password}   (shown only once; it opens {added.opens})")
    lines += [f"  {attribute}: {link}" for attribute, link in added.queues.items()]
    shell.result(asdict(added), "\n".join(lines))
    queue_names = [attribute for attribute in added.queues if attribute in wanted or not wanted]
    for attribute in queue_names:
        shell.hint(f"Next, fill the queue: `attune batch {attribute} --size 40`")
    if not added.queues:
        shell.hint("No attributes yet. Create one: `attune attribute create NAME --question Q --classes a,b`")


@attune_command(command, "list", example="attune expert list")
def list_(shell: Shell) -> None:
    """List every expert with queues and number of answers."""
    rows = experts.every(shell.settings)
    cells = [(row["email"], row["name"], row["answers"], ", ".join(row["queues"])) for row in rows]
    shell.result(rows, table(("address", "name", "answers", "attributes"), cells))
    if not rows:
        shell.hint("No experts yet. Add one: `attune expert add EMAIL`")


@attune_command(command, "link", example="attune expert link ana@studio.example")
@click.argument("email")
def link(shell: Shell, email: str) -> None:
    """Print a login link for EMAIL. It works once, within three days. An older link ends."""
    made = login_links.make(shell.settings, email, who=who())
    shell.result({"email": email, "link": made}, f"{email}\n  {made}   (shown only once)")


@attune_command(command, "answers", example="attune expert answers ana@studio.example drop --attribute serious")
@click.argument("email")
@click.argument("choice", type=click.Choice(["keep", "drop"]))
@click.option("--attribute", help="Only the answers to this attribute. Default: all.")
def answers(shell: Shell, email: str, choice: str, attribute: str | None) -> None:
    """Exclude (drop) or include (keep) the answers of EMAIL. Nothing is deleted."""
    moved_counts = (exclude_expert.exclude if choice == "drop" else exclude_expert.include)(
        shell.settings, email, attribute, who=who()
    )
    shell.result(
        {"email": email, "answers": moved_counts},
        f"{email}: {exclude_expert.summary_text(moved_counts, choice == 'drop')}",
    )


@attune_command(command, "remove", example="attune expert remove ana@studio.example --answers drop")
@click.argument("email")
@click.option(
    "--answers", "choice", type=click.Choice(["keep", "drop"]), default="keep", show_default=True,
    help="Whether the person's answers still count. You can change this later with `attune expert answers`.",
)  # fmt: skip
def remove(shell: Shell, email: str, choice: str) -> None:
    """Remove EMAIL: close the queues and end all access. The answers still count by default."""
    done = experts.remove(shell.settings, email, wait=True)
    lines = [
        f"{done['email']}: {plural(done['queues_closed'], 'queue')} closed, "
        f"{plural(done['questions_retired'], 'open task')} retired, {plural(done['answers_kept'], 'answer')} kept.",
        f"  console: {done['console']}",
        f"  Label Studio: {done['label_studio']}",
    ]
    if choice == "drop":
        done["answers_set_aside"] = exclude_expert.exclude(shell.settings, email, who=who())
        lines.append(
            f"  {exclude_expert.summary_text(done['answers_set_aside'], dropped=True)} Undo: `attune expert answers "
            f"{email} keep`"
        )
    shell.result(done, "\n".join(lines))
