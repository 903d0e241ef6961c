"""Which images the next pages show, and whether a page or single images would teach more in the same time now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from attune.labeler.answers import answer_seconds
from attune.labeler.queues.grids import SIZE
from attune.labeler.records.run_advice import PageAdvice, RunAdvice
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.probes import page_plan
from attune.models.probes.page_plan import Candidates
from attune.models.probes.priors import Prompts
from attune.models.probes.probe import Probe
from attune.models.query.page_value import MORE, ROUND
from attune.models.vectors.pool import IntArray
from attune.workers.rounds import learning_round, round_figures
from attune.workers.rounds.queue_plan import asked_rows
from attune.workers.rounds.snapshot import Snapshot

SCREEN = 2 * SIZE  # images that most experts see at once, and that a page was measured with
FEWEST = 4  # images that are worth a page
FIRST = 20  # labels before which both ways are not compared: from so many on it was measured
MOST_WAITING = 400  # images in queues that single answers may come from


def made(settings: Settings, snapshot: Snapshot, positions: Sequence[int]) -> list[tuple[int, IntArray]]:
    """(class position, pool rows) of pages about the classes at ``positions``; no image twice, none that waits, that
    was answered anywhere or that an audit may draw."""
    prompts = learning_round.known_prompts(settings, snapshot)
    probe = round_figures.fit_probe(snapshot, prompts)
    rest = np.array(list(dict.fromkeys([*asked_rows(snapshot).tolist(), *_open_rows(snapshot)])), dtype=np.intp)
    found = _candidates(snapshot, probe, prompts, rest, SIZE * len(positions) + (MORE - 1) * SCREEN)
    with reading(settings) as session:
        seconds = answer_seconds.expected(session, snapshot.attribute.id)
    lot = np.random.default_rng([snapshot.seed, 6, len(rest)])
    pages = page_plan.pages(found, positions, SIZE, SCREEN, seconds, lot)
    return [(position, rows) for position, rows in pages if len(rows) >= FEWEST]


def due(snapshot: Snapshot) -> bool:
    """Whether as much was answered since the last comparison as lies between two in the benchmark."""
    if len(snapshot.training) < FIRST:
        return False
    before = snapshot.advice.pages
    fresh = before is not None and before.revision == snapshot.attribute.revision
    return before is None or not fresh or not 0 <= snapshot.count - before.answers < ROUND


def record_advice(settings: Settings, snapshot: Snapshot, number: int, probe: Probe, prompts: Prompts | None) -> None:
    """Compare both ways and add the result to run ``number`` of the attribute."""
    found = advice(settings, snapshot, probe, prompts)
    with writing(settings) as session:
        run = session.query(Run).filter_by(attribute_id=snapshot.attribute.id, number=number).one()
        run.advice = replace(RunAdvice.from_dict(run.advice), pages=found).to_dict()


def advice(settings: Settings, snapshot: Snapshot, probe: Probe, prompts: Prompts | None) -> PageAdvice:
    """What a page and single images are expected to teach a second.

    Images that wait in queues are for single answers only, as no page may show them.
    """
    waiting = _open_rows(snapshot)[:MOST_WAITING]
    found = _candidates(snapshot, probe, prompts, asked_rows(snapshot), MORE * SCREEN + len(waiting))
    two = len(snapshot.attribute.classes) == 2
    with reading(settings) as session:
        seconds = answer_seconds.expected(session, snapshot.attribute.id)
    positions = range(1) if two else range(len(snapshot.attribute.classes))
    choice = page_plan.choose(found, positions, SCREEN, seconds, waiting)
    return PageAdvice(
        answers=snapshot.count,
        revision=snapshot.attribute.revision,
        page=choice.page.worth,
        single=choice.single,
        page_seconds=round(choice.page.seconds / max(len(choice.page.places), 1), 2),
        single_seconds=round(seconds.single, 2),
    )


def _open_rows(snapshot: Snapshot) -> list[int]:
    """Pool rows of the tasks that wait in queues."""
    return [task.row for task in snapshot.asked if task.state == "open" and task.row >= 0]


def _candidates(
    snapshot: Snapshot, probe: Probe, prompts: Prompts | None, asked: npt.NDArray[np.intp], n: int
) -> Candidates:
    return page_plan.candidates(
        snapshot.view.pool,
        probe,
        snapshot.training,
        asked,
        n,
        snapshot.learner,
        snapshot.seed,
        prompts=prompts,
        hidden=snapshot.view.hidden,
    )
