"""`attune probes gates`: the bounds that a promotion is held against, and which of them stop it."""

from __future__ import annotations

import click

from attune.labeler.catalog import gate_bounds
from attune.labeler.cli.probe_group import command
from attune.labeler.cli.shell import Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.models.errors import DataError


@attune_command(
    command, "gates", example="attune probes gates serious --set audit_lower_bound=0.6 --enforce audit_lower_bound"
)
@click.argument("name")
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="GATE=BOUND",
    help="New bound of a gate, such as audit_lower_bound=0.6. Repeat the option for more.",
)
@click.option(
    "--enforce",
    multiple=True,
    metavar="GATE",
    help="Gate to enforce: it can stop a promotion. Repeat the option for more.",
)
@click.option(
    "--no-enforce",
    multiple=True,
    metavar="GATE",
    help="Gate to show only: it cannot stop a promotion. Repeat the option for more.",
)
def gates(
    shell: Shell, name: str, values: tuple[str, ...], enforce: tuple[str, ...], no_enforce: tuple[str, ...]
) -> None:
    """Show the gates of NAME: each bound, and whether it is enforced. With options, change them."""
    both = set(enforce) & set(no_enforce)
    if both:
        raise DataError(
            f"--enforce and --no-enforce both name {', '.join(sorted(both))}. Use only one of the two for a gate."
        )
    binding = dict.fromkeys(enforce, True) | dict.fromkeys(no_enforce, False)
    wanted = gate_bounds.pairs(values)
    if wanted or binding:
        found = gate_bounds.change(shell.settings, name, who(), wanted, binding)
    else:
        found = gate_bounds.bounds(shell.settings, name)
    rows = [
        (one.name, one.rule.text, f"{one.bound:g}", "enforced" if one.enforced else "shown", one.by or "default")
        for one in found
    ]
    columns = ("gate", "asks for", "bound", "it is", "set by")
    shell.result({"attribute": name, "gates": [one.to_dict() for one in found]}, table(columns, rows, title=name))
