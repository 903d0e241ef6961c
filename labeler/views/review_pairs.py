"""Where a run and the champion part: the audit answers that one gets right and the other wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.catalog.run_facts import thresholds_of
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Run
from attune.labeler.views.pictures import PageImage
from attune.labeler.views.review_mistakes import answers_by_image, visible_pictures
from attune.models.probes.decision import decide

MOST = 8
SPARE = 4  # times as many are looked up, as some are not to be seen by a viewer who is still to answer them


@dataclass(frozen=True)
class Pair:
    """One image: what the run and the champion say, each with its probability in [0, 1], and who said what."""

    picture: PageImage
    candidate: tuple[str, float]
    champion: tuple[str, float]
    sides: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, eq=False)
class Parted:
    """Of each audited image (n,): what the run and the champion say (positions of classes), and which of them errs."""

    said: npt.NDArray[np.int32]
    champion_said: npt.NDArray[np.int32]
    lost: npt.NDArray[np.bool_]
    won: npt.NDArray[np.bool_]
    both_wrong: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """``lost``: the champion is right and the run is wrong; ``won`` the reverse, both with the surest mistake first.

    At most `MOST` of each; ``lost_in_all`` and ``won_in_all`` count them all, of ``answered`` audited images with an
    agreed class. ``both_wrong`` images are wrong in both.
    """

    lost: Sequence[Pair]
    won: Sequence[Pair]
    lost_in_all: int
    won_in_all: int
    both_wrong: int
    answered: int


def parted(evidence: Evidence, run: Run, champion: Run, mine: Scored, theirs: Scored) -> Parted:
    """Where ``run`` and ``champion`` part: ``lost`` to the run, ``won`` by it, or wrong in both."""
    truth, decided = evidence.labels.majority(), evidence.labels.decided()
    said = decide(mine.audited, evidence.classes, thresholds_of(run, evidence.classes))
    champion_said = decide(theirs.audited, evidence.classes, thresholds_of(champion, evidence.classes))
    right, champion_right = said == truth, champion_said == truth
    lost, won = decided & champion_right & ~right, decided & right & ~champion_right
    return Parted(said, champion_said, lost, won, decided & ~right & ~champion_right)


def pairs(
    session: Session, viewer: Viewer, evidence: Evidence, run: Run, champion: Run, mine: Scored, theirs: Scored
) -> Pairs:
    """The audit answers on which ``run`` and ``champion`` give different classes, of which one is right."""
    labels = evidence.labels
    parts = parted(evidence, run, champion, mine, theirs)
    said, champion_said, lost, won = parts.said, parts.champion_said, parts.lost, parts.won
    truth = labels.majority()
    # The one that is wrong and sure of it first.
    orders = [
        _surest(lost, mine.audited, truth),
        _surest(won, theirs.audited, truth),
    ]
    asked = [labels.asset_ids[i] for order in orders for i in order[: MOST * SPARE]]
    images = visible_pictures(session, viewer, asked)
    sides = answers_by_image(session, evidence, images)
    named = [*evidence.classes, "no class"]  # NO_LABEL is -1, the last

    def shown(order: npt.NDArray[np.intp]) -> list[Pair]:
        here = [i for i in order[: MOST * SPARE] if labels.asset_ids[i] in images][:MOST]
        return [
            Pair(
                images[labels.asset_ids[i]],
                (named[said[i]], _sure(mine.audited[i], int(said[i]))),
                (named[champion_said[i]], _sure(theirs.audited[i], int(champion_said[i]))),
                sides.get(labels.asset_ids[i], []),
            )
            for i in here
        ]

    return Pairs(
        lost=shown(orders[0]),
        won=shown(orders[1]),
        lost_in_all=int(lost.sum()),
        won_in_all=int(won.sum()),
        both_wrong=int(parts.both_wrong.sum()),
        answered=int(labels.decided().sum()),
    )


def _surest(
    where: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.float64], truth: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """The places in ``where``, those first whose true class got the lowest probability."""
    rows = np.flatnonzero(where)
    order: npt.NDArray[np.intp] = rows[np.argsort(probabilities[rows, truth[rows]], kind="stable")]
    return order


def _sure(probabilities: npt.NDArray[np.float64], said: int) -> float:
    return float(probabilities[said] if said >= 0 else probabilities.max())
