"""Second opinions: which answered images to ask again, and whom: some at random, the others where ActiveLab doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from attune.models.labels.agreement_sample import SHARE, drawn_at_random, random_ranks
from attune.models.labels.answers import AUDIT, IMPORT, SECOND_OPINION, SKIP, UNSURE, Answer
from attune.models.labels.panel import NO_VOTE, Panel, leader
from attune.models.labels.second_opinion import SecondOpinion, second_opinions, unlabelled_confidence, voice_weights
from attune.models.probes.priors import Prompts
from attune.models.probes.probe import Probe
from attune.models.query.planner import Ask
from attune.workers.rounds import round_figures
from attune.workers.rounds.snapshot import Snapshot

# Of the answers, those that may be about an image that someone has answered before: enough to measure agreement at
# first, a sixth once new images buy less (docs/explanation/evaluation.md: it costs nothing from some 500 answers on).
FIRST_SHARE, LATER_SHARE = 0.1, 1 / 6
GROWS_FROM, GROWS_TO = 120, 480
MOST_AT_ONCE = 2  # a queue: a row of old images in sequence looks like distrust
FOLDS = 3

Had = dict[str, set[str]]  # asset -> the experts who had it

BY_LOT = "It was drawn at random, to measure how much the experts agree."
DISAGREE = "Earlier answers on this image disagree. Another answer will help."
ALONE = "Only one expert has answered, and the probe disagrees. Another answer will help."
UNSURE_ALONE = "An expert was unsure about this image. Another answer will help."
AGAINST = "The experts agree on this image, but the probe disagrees. Another answer will help."


@dataclass(frozen=True)
class SecondOpinionPlan:
    """Pool rows to ask again, most urgent first; the queue that each goes to, and why, as people read it."""

    rows: tuple[int, ...] = ()
    whom: Mapping[int, int] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)

    def explain(self, ask: Ask) -> Ask:
        """A planned second opinion with its own reason; any other question as it is."""
        if ask.purpose != SECOND_OPINION or ask.index not in self.reasons:
            return ask
        return replace(ask, reason=self.reasons[ask.index])


def plan_second_opinions(snapshot: Snapshot, probe: Probe, prompts: Prompts | None) -> SecondOpinionPlan:
    """The second opinions of this round; none while one expert works alone or the share is used up."""
    # Of an audit title nothing is learned, so nothing there needs settling, also where a person chose or imported it.
    learned = set(snapshot.training.asset_ids)
    answers = [a for a in snapshot.newest if a.purpose != AUDIT and a.value != SKIP and a.asset_id in learned]
    n = due_count(snapshot, answers)
    if not n or not answers:
        return SecondOpinionPlan()
    free, had = _available_rows(snapshot, answers), _experts_by_asset(snapshot)
    selected = _random_opinions(snapshot, answers, free, had)[:n]
    if len(selected) < n:
        # An image of the lot is never asked about out of doubt: agreement there would be a choice, and no measure.
        lot = dict(zip(free, drawn_at_random(list(free), snapshot.seed), strict=True))
        others = {asset: row for asset, row in free.items() if not lot[asset]}
        panel = Panel.of([opinion for opinion in answers if opinion.asset_id in others], snapshot.attribute.classes)
        selected += _ranked(snapshot, probe, prompts, panel, others, had)[: n - len(selected)]
    queue_of = {snapshot.experts[queue.expert_id]: queue.id for queue in snapshot.queues}
    rows = [free[opinion.asset_id] for opinion in selected]
    queue_of_row = {
        free[opinion.asset_id]: queue_of[opinion.expert] for opinion in selected if opinion.expert in queue_of
    }
    return SecondOpinionPlan(
        tuple(rows), queue_of_row, {free[opinion.asset_id]: opinion.reason for opinion in selected}
    )


def share(answers: int) -> float:
    """The share of ``answers`` that second opinions may be by then."""
    grown = (answers - GROWS_FROM) / (GROWS_TO - GROWS_FROM)
    return FIRST_SHARE + (LATER_SHARE - FIRST_SHARE) * min(1.0, max(0.0, grown))


def due_count(snapshot: Snapshot, answers: Sequence[Answer]) -> int:
    """How many more may be asked: the share of what people were asked, less those answered and those waiting.

    Imported answers widen nothing: a large file would fill the queues with its own images for weeks.
    """
    if len(snapshot.queues) < 2:
        return 0
    asked_answers = [answer for answer in answers if answer.purpose != IMPORT]
    brought = {answer.asset_id for answer in answers if answer.purpose == IMPORT}
    repeats = len(asked_answers) - len({answer.asset_id for answer in asked_answers} - brought)
    waiting = sum(task.state == "open" and task.purpose == SECOND_OPINION for task in snapshot.asked)
    return int(
        np.clip(
            int(share(len(asked_answers)) * len(asked_answers)) - repeats - waiting,
            0,
            MOST_AT_ONCE * len(snapshot.queues),
        )
    )


def _random_opinions(
    snapshot: Snapshot, answers: Sequence[Answer], free: Mapping[str, int], had: Had
) -> list[SecondOpinion]:
    """The images of the lot that one expert alone has answered, lowest lot first; what was imported is not drawn."""
    answer_counts = Counter(answer.asset_id for answer in answers)
    brought = {answer.asset_id for answer in answers if answer.purpose == IMPORT}
    names = [asset for asset in free if answer_counts[asset] == 1 and asset not in brought]
    mine = [(lot, asset) for lot, asset in zip(random_ranks(names, snapshot.seed), names, strict=True) if lot < SHARE]
    opinions = []
    for lot, asset in sorted(mine):
        able = [one for one in sorted(snapshot.experts[q.expert_id] for q in snapshot.queues) if one not in had[asset]]
        if able:
            opinions.append(SecondOpinion(asset, able[int(lot / SHARE * len(able))], 0.0, BY_LOT))
    return opinions


def _experts_by_asset(snapshot: Snapshot) -> Had:
    """Asset -> the experts who had it, also those whose answer was excluded: Label Studio asks none of them again."""
    experts_by_asset: dict[str, set[str]] = {}
    for answer in snapshot.answers:
        experts_by_asset.setdefault(answer.asset_id, set()).add(answer.expert)
    expert_of = {queue.id: snapshot.experts[queue.expert_id] for queue in snapshot.queues}
    for task in snapshot.asked:
        if task.row >= 0 and task.queue in expert_of:
            experts_by_asset.setdefault(str(snapshot.view.pool.asset_ids[task.row]), set()).add(expert_of[task.queue])
    return experts_by_asset


def _available_rows(snapshot: Snapshot, answers: Sequence[Answer]) -> dict[str, int]:
    """Asset -> pool row of what may be asked again: still shown, and waiting in no queue."""
    ids = sorted({answer.asset_id for answer in answers})
    waiting = {task.row for task in snapshot.asked if task.state == "open"} | set(snapshot.view.hidden.tolist())
    return {
        asset: int(row)
        for asset, row in zip(ids, snapshot.view.pool.positions(ids), strict=True)
        if row >= 0 and int(row) not in waiting
    }


def _ranked(
    snapshot: Snapshot, probe: Probe, prompts: Prompts | None, panel: Panel, free: Mapping[str, int], had: Had
) -> list[SecondOpinion]:
    """Everything that could be asked again: ties, then the least sure."""
    experts = [snapshot.experts[queue.expert_id] for queue in snapshot.queues]
    if not panel.asset_ids:
        return _unsure(snapshot, probe, panel, free, had, None)
    proba = out_of_sample(snapshot, panel, prompts)
    opinions = second_opinions(panel, proba, experts, len(panel.asset_ids), had)
    reasons = {asset: _disagreement_text(counts) for asset, counts in zip(panel.asset_ids, panel.counts(), strict=True)}
    opinions = [replace(one, reason=reasons[one.asset_id]) for one in opinions]
    # A tie is no label at all, and the weights of a young panel are too rough to rank it behind a doubt.
    tied = {asset for asset, won in zip(panel.asset_ids, leader(panel.counts()), strict=True) if won == NO_VOTE}
    every = [*opinions, *_unsure(snapshot, probe, panel, free, had, proba)]
    return sorted(every, key=lambda one: (one.asset_id not in tied, one.confidence))


def _unsure(
    snapshot: Snapshot,
    probe: Probe,
    panel: Panel,
    free: Mapping[str, int],
    had: Had,
    proba: npt.NDArray[np.float64] | None,
) -> list[SecondOpinion]:
    """Images of which no one has said more than "unsure": as sure as the probe alone is of them."""
    labelled = {answer.asset_id for answer in snapshot.newest if answer.value not in (UNSURE, SKIP)}
    experts = [snapshot.experts[queue.expert_id] for queue in snapshot.queues]
    silent = [asset for asset in free if asset not in labelled and not set(experts) <= had[asset]]
    if not silent:
        return []
    rows = np.array([free[asset] for asset in silent], dtype=np.intp)
    own = round_figures.probabilities(probe, round_figures.logits(snapshot, probe, rows))
    sure = own.max(axis=1) if proba is None else unlabelled_confidence(own, voice_weights(panel, proba))
    return [
        SecondOpinion(asset, next(expert for expert in experts if expert not in had[asset]), float(value), UNSURE_ALONE)
        for asset, value in zip(silent, sure, strict=True)
    ]


def _disagreement_text(counts: npt.NDArray[np.intp]) -> str:
    if (counts > 0).sum() > 1:
        return DISAGREE
    return ALONE if counts.sum() == 1 else AGAINST


def out_of_sample(snapshot: Snapshot, panel: Panel, prompts: Prompts | None) -> npt.NDArray[np.float64]:
    """The probability of each class for the panel's assets, (assets, classes), by probes that did not learn from them.

    A probe that learned an answer agrees with it: it could never say that the answer is odd.
    """
    probabilities = round_figures.cross_fitted(snapshot, prompts, FOLDS)
    place = {asset: row for row, asset in enumerate(snapshot.training.asset_ids)}
    return probabilities[np.array([place[asset] for asset in panel.asset_ids], dtype=np.intp)]
