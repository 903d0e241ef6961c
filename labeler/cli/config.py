"""`attune config`: every setting, its value and where it came from; and the encoder that the pool is of."""

from __future__ import annotations

import os
from dataclasses import fields

import click

from labeler import jobs
from labeler.assets.encoder import OF_THE_POOL, active_fingerprint
from labeler.cli.bars import bars
from labeler.cli.shell import Group, Shell
from labeler.cli.shell import command as attune_command
from labeler.records.session import reading
from labeler.settings import Settings, kept, variable
from models.errors import DataError


@click.group(cls=Group)
def command() -> None:
    """Look at the settings (argument over environment over workspace over default), and change the encoder."""


def _origin(shell: Shell, name: str) -> str:
    if os.environ.get(variable(name)):
        return "environment"
    return "workspace" if name in kept(shell.settings.workspace) else "default"


@attune_command(command, "show", workspace="optional", example="attune config show")
def show(shell: Shell) -> None:
    """Print every setting with its value (secrets masked), its variable and what it is for."""
    shown = shell.settings.shown()
    rows = [
        (
            variable(item.name),
            shown[item.name],
            _origin(shell, item.name),
            item.metadata["about"],
        )
        for item in fields(Settings)
    ]
    value = {name: {"value": text, "from": origin} for name, text, origin, _ in rows}
    shell.result(value, "\n".join(_entry(*row) for row in rows))


@attune_command(command, "encoder", example="attune config encoder ViT-L-14 --pretrained laion2b_s32b_b82k")
@click.argument("model", required=False)
@click.option("--pretrained", help="open_clip's tag for its weights, or the path of a checkpoint file.")
@click.option("--resize-mode", help="How images are fitted: squash, longest or shortest; as it is unless told.")
@click.option("--no-wait", is_flag=True, help="Leave it to the workers and return.")
def encoder(shell: Shell, model: str | None, pretrained: str | None, resize_mode: str | None, no_wait: bool) -> None:
    """Change the pool to the encoder MODEL, or tell which one it is of.

    Every image gets a new vector first; until the last one is there, everything goes on with those of before. Asked
    again after a stop it goes on where it was. Answers hold, champions stay, and every probe is learned anew.
    """
    with reading(shell.settings) as session:
        active = active_fingerprint(session)
    if model is None:
        value = {"active": active.to_dict() if active else None} | {name: _set(shell, name) for name in OF_THE_POOL}
        return shell.result(
            value, f"The pool is of {active}." if active else "The pool is empty; it has no encoder yet."
        )
    if pretrained is None:
        raise DataError("pretrained: name the weights too, for instance --pretrained laion2b_s32b_b82k.")
    if set_outside := [variable(name) for name in OF_THE_POOL if os.environ.get(variable(name))]:
        raise DataError(
            f"{', '.join(set_outside)} of the environment would go on naming the encoder of before, here and for the "
            "workers. Take it out there (the workspace keeps its own), restart `attune up`, and ask again."
        )
    from models.weights import locate

    locate(model, pretrained)  # within seconds, before anything is asked of the workers
    wanted = {"encoder": model, "pretrained": pretrained, "resize_mode": resize_mode or shell.settings.resize_mode}
    with bars() as start:
        done = jobs.ask(shell.settings, "encoder", start("Embedding"), wait=not no_wait, **wanted)
    shell.result(done, f"The pool is of {done['encoder']} now." if "encoder" in done else f"Asked: {done['job']}")
    for item in done.get("left_out", []):
        shell.hint(f"Left out: {item['message']}")


def _set(shell: Shell, name: str) -> str:
    return str(getattr(shell.settings, name))


def _entry(name: str, value: str, origin: str, about: str) -> str:
    held = f"{name}={value}" if value else f"{name} is not set"
    return f"{held}  ({origin})\n    {about}" if origin != "default" else f"{held}\n    {about}"
