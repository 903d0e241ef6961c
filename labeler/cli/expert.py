"""`attune expert`: who answers, with which queues."""

from __future__ import annotations

from dataclasses import asdict

import click

from attune.labeler.answers import exclude_expert
from attune.labeler.cli.shell import Group, Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.people import experts, login_links


@click.group(cls=Group)
def command() -> None:
    """Add the people who answer, list them, remove them."""


@attune_command(command, "add", example="attune expert add ana@studio.example --attribute serious")
@click.argument("email")
@click.option("--attribute", "wanted", multiple=True, help="Answers this attribute only; may be given more than once.")
@click.option("--name", help="How the console calls the person; the address's first part unless given.")
def add(shell: Shell, email: str, wanted: tuple[str, ...], name: str | None) -> None:
    """Add the expert EMAIL: a login, and a queue for each attribute (without --attribute also for later ones)."""
    made = experts.add(shell.settings, email, wanted, name)
    lines = [f"{made.name} <{made.email}>", f"  console:  {made.console}"]
    if made.password:
        lines.append(f"  password: {made.password}   (shown this once; it opens {made.opens})")
    lines += [f"  {attribute}: {link}" for attribute, link in made.queues.items()]
    shell.result(asdict(made), "\n".join(lines))
    named = [attribute for attribute in made.queues if attribute in wanted or not wanted]
    for attribute in named:
        shell.hint(f"Fill the queue: attune batch {attribute} --size 40")
    if not made.queues:
        shell.hint("There is no attribute yet: attune attribute create NAME --question Q --classes a,b")


@attune_command(command, "list", example="attune expert list")
def list_(shell: Shell) -> None:
    """Every expert, the answers given and the queues."""
    rows = experts.every(shell.settings)
    cells = [(row["email"], row["name"], row["answers"], ", ".join(row["queues"])) for row in rows]
    shell.result(rows, table(("address", "name", "answers", "attributes"), cells))
    if not rows:
        shell.hint("Nobody answers yet: attune expert add EMAIL")


@attune_command(command, "link", example="attune expert link ana@studio.example")
@click.argument("email")
def link(shell: Shell, email: str) -> None:
    """Print a link that lets EMAIL into the console once, within three days; an older one ends."""
    made = login_links.make(shell.settings, email)
    shell.result({"email": email, "link": made}, f"{email}\n  {made}   (shown this once)")


@attune_command(command, "answers", example="attune expert answers ana@studio.example drop --attribute serious")
@click.argument("email")
@click.argument("choice", type=click.Choice(["keep", "drop"]))
@click.option("--attribute", help="The answers to this question alone; all of them unless given.")
def answers(shell: Shell, email: str, choice: str, attribute: str | None) -> None:
    """Set the answers of EMAIL aside (drop), or let them count again (keep); their history stays either way."""
    told = (exclude_expert.set_aside if choice == "drop" else exclude_expert.take_back)(
        shell.settings, email, attribute
    )
    shell.result({"email": email, "answers": told}, f"{email}: {exclude_expert.told(told, choice == 'drop')}")


@attune_command(command, "remove", example="attune expert remove ana@studio.example --answers drop")
@click.argument("email")
@click.option(
    "--answers", "choice", type=click.Choice(["keep", "drop"]), default="keep", show_default=True,
    help="Whether the answers given go on counting; `attune expert answers` changes it later.",
)  # fmt: skip
def remove(shell: Shell, email: str, choice: str) -> None:
    """Take EMAIL's queues, open questions and every way in; the answers stay unless told otherwise."""
    done = experts.remove(shell.settings, email, wait=True)
    lines = [
        f"{done['email']}: {done['queues_closed']} queues closed, {done['questions_retired']} open questions retired, "
        f"{done['answers_kept']} answers kept.",
        f"  console: {done['console']}",
        f"  Label Studio: {done['label_studio']}",
    ]
    if choice == "drop":
        done["answers_set_aside"] = exclude_expert.set_aside(shell.settings, email)
        lines.append(
            f"  {exclude_expert.told(done['answers_set_aside'], dropped=True)} "
            f"`attune expert answers {email} keep` undoes it."
        )
    shell.result(done, "\n".join(lines))
