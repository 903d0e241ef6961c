"""Pictures whose answers are true, for what people look at: a laughing face is never shown as serious.

The records of the tests draw their answers from random numbers. Here each asset gets a drawing of the sample catalogue
of which its answers are true, or its answers are changed to what is true of its drawing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from sqlalchemy import select

from attune.labeler.records.schema import Annotation, Asset, Attribute
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
    def serious(self) -> bool:
        """Whether the faces are serious."""
        return self.truth.value("serious-expression") == "yes"

    @property
    def romance(self) -> str:
        """Its class of the question of romance."""
        return self.truth.value("romance")

    @property
    def tenderness(self) -> float:
        """How tender the scene is, in [0, 1]."""
        return max(self.truth.romance, self.truth.friendship)

    def value(self, name: str, classes: Sequence[str]) -> str | None:
        """The true answer to the question ``name``; None for a question of something else."""
        if name in ("serious-expression", "serious"):
            return classes[0 if self.serious else 1]
        if name == "romance":
            return self.romance
        return classes[0 if self.tenderness >= TENDER else 1] if name == "tender" else None


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


def answer_truly(settings: Settings, drawn: Sequence[Drawing]) -> None:
    """Give the assets their drawings in turn, and turn their answers round where most are not what is true of it.

    Who said otherwise than most still does.
    """
    with writing(settings) as session:
        names: dict[int, Attribute] = {one.id: one for one in session.scalars(select(Attribute))}
        for number, asset in enumerate(session.scalars(select(Asset).order_by(Asset.id))):
            drawing = drawn[number % len(drawn)]
            put(asset, drawing)
            answers = defaultdict(list)
            for row in session.scalars(select(Annotation).where(Annotation.asset_pk == asset.id)):
                answers[row.attribute_id].append(row)
            for key, rows in answers.items():
                _turn(rows, drawing.value(names[key].name, names[key].classes), names[key].classes)


def _turn(rows: Sequence[Annotation], true: str | None, classes: Sequence[str]) -> None:
    said = Counter(row.value for row in rows if row.value in classes)
    if true is None or not said:
        return
    most = said.most_common(1)[0][0]
    swapped = {most: true, true: most}
    for row in rows:
        row.value = swapped.get(row.value, row.value)


def show_truly(
    settings: Settings, drawn: Sequence[Drawing], x: npt.NDArray[np.float32], classes: Sequence[str]
) -> None:
    """Give the assets of ``judged`` drawings of which the truth of their vectors ``x`` (n, d) is true.

    The surest first, so that those that pages show differ.
    """
    kinds: dict[tuple[bool, str], list[Drawing]] = defaultdict(list)
    for one in drawn:
        kinds[one.serious, one.romance].append(one)
    for (serious, _), some in kinds.items():
        some.sort(key=lambda one: one.truth.serious, reverse=serious)
    used: Counter[tuple[bool, str]] = Counter()
    with writing(settings) as session:
        assets = list(session.scalars(select(Asset).order_by(Asset.id)))
        for row in np.argsort(-np.abs(x[:, 0] - 0.25), kind="stable"):
            kind = (bool(x[row, 0] > 0.25), classes[int(x[row, :3].argmax())])
            put(assets[row], kinds[kind][used[kind] % len(kinds[kind])])
            used[kind] += 1


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
