"""The options by which a command names an encoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def encoder_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --encoder, --pretrained and --resize-mode; the function gets them as ``encoder`` and so on, or None."""
    for option in (
        click.option("--resize-mode", help="How images are resized: squash, longest or shortest."),
        click.option("--pretrained", help="Weights: a tag, a checkpoint file, or a folder of a hub's cache."),
        click.option(
            "--encoder", help="Encoder to use instead of the workspace's: a model of open_clip, or a JSON config."
        ),
    ):
        function = option(function)
    return function
