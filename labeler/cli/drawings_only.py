"""The demo's encoder knows the sample's drawings alone: what is said before it is used on other images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from attune.labeler.cli.shell import Shell, somebody_reads, stop
from attune.labeler.sample import ENCODER_WEIGHTS, is_sample_encoder
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, consequence
from attune.models.files.paths import printable

MARK = "ground_truth.csv"  # is in the folder of every sample catalogue


def active(settings: Settings) -> bool:
    """Whether the settings name the demo's encoder."""
    return Path(settings.pretrained).name == ENCODER_WEIGHTS.name


def made_by(fingerprint: Fingerprint) -> bool:
    """Whether ``fingerprint`` is of the demo's encoder."""
    return is_sample_encoder(fingerprint)


def others(paths: Sequence[str | Path]) -> list[str]:
    """Those of ``paths`` that are not a sample catalogue, or in one."""
    return [printable(str(path)) for path in paths if not _of_the_sample(Path(path).absolute())]


def _of_the_sample(path: Path) -> bool:
    return any((folder / MARK).is_file() for folder in (path, *path.parents))


def ask(shell: Shell, paths: Sequence[str | Path], sure: bool) -> None:
    """Warn before other images come into a pool of the demo's encoder, and ask unless ``sure`` or there is no terminal.

    Ends the command where the person says no.
    """
    if not active(shell.settings) or not (strange := others(paths)):
        return
    shell.hint(
        f"Warning: this workspace uses the demo's encoder, which works only for the sample images. {strange[0]} has "
        "other images, so their search, scores and probes would mean little. For your own images use another "
        "workspace: `attune assets add PATH --workspace ./mine`. To take images out again: `attune assets list`, then "
        "`attune assets remove ID...`"
    )
    if not sure and somebody_reads() and not click.confirm("Add these images anyway?", err=True):
        stop("attune: Nothing was added.", consequence(DataError).exit_code)


def warn_scores(shell: Shell, fingerprint: Fingerprint, paths: Sequence[str | Path]) -> None:
    """Warn before a probe of the demo's encoder scores other images."""
    if made_by(fingerprint) and (strange := others(paths)):
        shell.hint(
            f"Warning: this probe uses the demo's encoder, which works only for the sample images. {strange[0]} has "
            "other images, so their scores mean little. Train a probe in a workspace with another encoder: "
            "`attune encoder list`"
        )
