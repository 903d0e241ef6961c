"""Drawings of the sample catalogue for pages of images on which every tick is true of what it marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path

from PIL import Image

from attune.labeler.records.schema import Asset
from attune.labeler.records.session import writing
from attune.labeler.sample import write_catalogue
from attune.labeler.sample.catalogue import Truth
from attune.labeler.settings import Settings
from attune.models.files.atomic import digest_bytes

TENDER = 0.5  # of romance or friendship: from there on a scene is tender
_copies = count()


@dataclass(frozen=True)
class Drawing:
    """One drawing of the sample and what is true of it."""

    truth: Truth
    content: bytes

    @property
    def tenderness(self) -> float:
        """How tender the scene is, in [0, 1]."""
        return max(self.truth.romance, self.truth.friendship)


def drawings(folder: Path, images: int) -> list[Drawing]:
    """The drawings of a new sample catalogue, neighbours of different titles."""
    found = write_catalogue(folder, images)
    paths = {path.stem: path for path in (folder / "images").iterdir()}
    made = [Drawing(truth, paths[name].read_bytes()) for name, truth in found.truths.items()]
    step = next(step for step in (37, 41, 43) if len(made) % step)  # shares no factor: every drawing comes once
    return [made[step * at % len(made)] for at in range(len(made))]


def put(asset: Asset, drawing: Drawing) -> None:
    """Make ``drawing`` the picture of ``asset``; a number makes each file its own."""
    content = drawing.content + str(next(_copies)).encode()
    Path(asset.uri).write_bytes(content)
    asset.digest = digest_bytes(content)
    asset.width, asset.height = Image.open(BytesIO(content)).size


def deal(settings: Settings, assets: Sequence[Asset], drawn: Sequence[Drawing], ticked: Mapping[int, str]) -> None:
    """Give ``assets`` drawings without tenderness, but at the places ``ticked``: ``tick`` a tender one, ``unsure`` one
    that is neither."""
    wanted: dict[str, Callable[[Drawing], float]] = {
        "tick": lambda one: -one.tenderness,
        "unsure": lambda one: abs(one.tenderness - TENDER),
        "": lambda one: one.tenderness,
    }
    left = list(drawn)
    with writing(settings) as session:
        for number, asset in enumerate(assets):
            best = min(left, key=wanted[ticked.get(number, "")])
            left.remove(best)
            put(session.get_one(Asset, asset.id), best)
