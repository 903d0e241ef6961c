"""`attune brief`: what a title's next artwork should have, as a file for whoever makes it."""

from __future__ import annotations

from pathlib import Path

import click

from attune.labeler.cli.shell import OUTPUT, Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.models.files.outputs import user_file
from attune.models.text import plural


@click.group(cls=Group)
def group() -> None:
    """Hold the command."""


@attune_command(group, "brief", example="attune brief t0004 --to brief.pdf")
@click.argument("title")
@click.option("--to", required=True, type=OUTPUT, help="FILE.pdf or FILE.html.")
def brief(shell: Shell, title: str, to: Path) -> None:
    """Write a brief for the next artwork of TITLE: what works, what is missing, and for whom, with pictures.

    TITLE is its title_id. Each line has its grade.
    """
    from attune.labeler.briefs import files

    kind = to.suffix.lower().lstrip(".")
    made, content = files.written(shell.settings, title, kind)
    with user_file(to) as file:
        file.write(content)
    value = {
        "title_id": made.title_id, "to": str(to), "images": len(made.images), "summary": made.summary,
        "simulated": made.made_up, "lines": [
            {"insight": one.one.row.id, "sentence": one.words.sentence, "grade": one.grade,
             "unchecked": one.words.unchecked, "missing": one.missing, "has": list(one.has), "lacks": list(one.lacks)}
            for one in made.lines
        ],
    }  # fmt: skip
    shell.written(to, value, f"Brief of {made.name}, {plural(len(made.lines), 'insight')}, written to {to}.")
    if made.made_up:
        shell.hint("Its performance is simulated: nobody measured it.")
