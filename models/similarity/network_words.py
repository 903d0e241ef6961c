"""What a card says of a network that was trained: how, and whether it beats the projection of the encoder's vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

AGAINST = "against_projection"  # key of the measures
SAME, BETTER, WORSE = "no measurable difference", "better", "worse"


def verdict(difference: Mapping[str, float]) -> str:
    """``SAME`` where the 95 % interval of a difference holds 0, else ``BETTER`` or ``WORSE``."""
    return BETTER if difference["lo"] > 0 else WORSE if difference["hi"] < 0 else SAME


def training(network: Mapping[str, Any]) -> Iterator[str]:
    """Two sentences about the training."""
    blocks = network["blocks"]
    part = "All of it was trained" if blocks == "all" else f"Its last {blocks} blocks were trained"
    yield (
        f"The image tower of {network['base']['model']} was fine-tuned. {part} ({network['trained']:,} of "
        f"{network['weights']:,} weights), on {network['images']:,} images, batches of {network['batch']}, "
        f"{network['device']}."
    )
    yield (
        f"Epoch {network['best_epoch']} of {network['epochs']} was the best on {network['watched']:,} images of other "
        f"titles, which were held back in the pool for this. To use it, images go through the encoder with the weights "
        f"of {network['file']}."
    )


def against(measures: Mapping[str, Any], figures: Mapping[str, str]) -> Iterator[str]:
    """The paired differences to the projection, by figure; ``figures`` has their names in words."""
    if AGAINST not in measures:
        yield "Nobody knows whether it beats the projection of the encoder's vectors, which costs far less."
        return
    yield (
        "Compared with the projection of the encoder's own vectors, learned from the same images, which costs far less "
        "(difference, with its 95 % interval over the same titles):"
    )
    yield ""
    for name, words in figures.items():
        found = measures[AGAINST][name]
        yield f"- {words}: {found['value']:+.3f} [{found['lo']:+.3f}, {found['hi']:+.3f}], {verdict(found)}"
    yield ""
    yield "Labels that were hidden while learning were not measured for the network."
