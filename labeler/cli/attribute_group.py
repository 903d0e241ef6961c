"""The group `attune attribute`, which two rooms add their commands to, and the option that both read."""

from __future__ import annotations

import click

from attune.labeler.cli.shell import Group


@click.group(cls=Group)
def command() -> None:
    """Create, list, show and revise attributes, and set their decision thresholds."""


def by_class(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> dict[str, list[str]]:
    """CLASS=PHRASE options, by class."""
    prompts: dict[str, list[str]] = {}
    for text in texts:
        name, separator, phrase = text.partition("=")
        if not separator or not phrase.strip():
            raise click.BadParameter(
                f"{text!r} is not of the form CLASS=PROMPT. For example: --prompt romance='two people kissing'."
            )
        prompts.setdefault(name.strip(), []).append(phrase.strip())
    return prompts
