"""What one learning round reads from the records, at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from attune.labeler.answers import first_answers, task_ids, tickless_pages
from attune.labeler.answers.as_answers import as_answers
from attune.labeler.assets.active_pool import PoolView, open_pool
from attune.labeler.attributes import attributes
from attune.labeler.catalog.related_probes import Relative, relatives
from attune.labeler.label_studio.task_address import Address
from attune.labeler.measured import checks
from attune.labeler.queues import grids
from attune.labeler.queues.asking import is_asking
from attune.labeler.queues.pinned import Picked, own_picks, waiting_picks
from attune.labeler.records.run_advice import Reliance, RunAdvice
from attune.labeler.records.schema import Asset, Attribute, Expert, Queue, Run, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.files.atomic import digest_json
from attune.models.labels.answers import AUDIT, IMPORT, SKIP, Answer, latest
from attune.models.labels.labels import Labels, consensus
from attune.models.probes.learner import LearnerSettings
from attune.workers.rounds import reliability_update

# Settings of an attribute that make no probe: how much to audit on demand, the bounds that judge a probe, saved views,
# how long pages took.
NOT_LEARNED = {"audits", "gates", "views", tickless_pages.KEY}


@dataclass(frozen=True)
class Asked:
    """A task as the round needs it: which pool row, whose queue, in what state."""

    key: int  # Task.id
    row: int  # index into the pool, -1 where the asset left it
    queue: int
    address: Address | None  # where it stands in Label Studio; None once it is gone there
    purpose: str
    state: str
    due: int | None


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything a round depends on; the records may move on while it works."""

    attribute: Attribute
    queues: tuple[Queue, ...]
    experts: dict[int, str]  # expert id -> e-mail
    view: PoolView
    answers: tuple[Answer, ...]
    answer_rows: tuple[tuple[int, int], ...]  # (pool row, expert id) of every answer, in the order of asking
    asked: tuple[Asked, ...]
    design: AuditDesign
    last_run: Run | None
    picks: tuple[Picked, ...] = ()  # oldest first
    own: frozenset[tuple[str, str]] = frozenset()  # (asset id, e-mail) of what experts chose for their own queue
    paged: tuple[int, ...] = ()  # pool rows on pages of images that wait for an answer
    relatives: tuple[Relative, ...] = ()  # what is published of other attributes
    firsts: tuple[Answer, ...] | None = None  # what each expert said first; None: ``answers``
    weigh: bool = True  # whether an expert's answers may count less than another's
    measured: npt.NDArray[np.intp] | None = None  # (pool,) of a question that checks a feature: `checks.codes_of`

    @property
    def seed(self) -> int:
        """The attribute's own seed, the same for all its rounds."""
        return int(self.attribute.settings["seed"])

    @cached_property
    def learner(self) -> LearnerSettings:
        """The learner's settings as this attribute keeps them."""
        kept = {key: self.attribute.settings[key] for key in ("reserved_share", "strategy")}
        share = 0.0 if not kept["reserved_share"] else self.attribute.settings.get("audit_share", 0.1)
        return LearnerSettings(audit_share=share, **kept)

    @cached_property
    def examples(self) -> npt.NDArray[np.intp]:
        """Pool rows of the question's own examples: whoever reads the question has been told their class."""
        named = [*(self.attribute.in_scope or ()), *(self.attribute.out_of_scope or ())]
        rows = self.view.pool.positions(dict.fromkeys(named))
        return rows[rows >= 0]

    @cached_property
    def training(self) -> Labels:
        """Agreed labels of everything that was not asked for the audit and is of no audit title."""
        return consensus(self._learned, self.attribute.classes, self.weights)

    @cached_property
    def _learned(self) -> list[Answer]:
        rows = self.view.pool.positions(a.asset_id for a in self.answers)
        held = pool_reserved_mask(self.view.pool, rows, self.learner.reserved_share, self.seed) & (rows >= 0)
        return [a for a, kept in zip(self.answers, ~held, strict=True) if a.purpose != AUDIT and kept]

    @cached_property
    def advice(self) -> RunAdvice:
        """What the last run advised; empty before any run."""
        return RunAdvice.from_dict(self.last_run.advice if self.last_run else None)

    @cached_property
    def reliance(self) -> Reliance:
        """How far to rely on whom, by the answers that may be learned from (`updated_reliability`).

        Not by those on images that their expert chose, maybe with the others' answers in sight.
        """
        shared = [answer for answer in self._learned if (answer.asset_id, answer.expert) not in self.own]
        return reliability_update.updated_reliability(
            self.advice.reliance, shared, self.count, self.attribute, self.seed
        )

    @cached_property
    def weights(self) -> dict[str, float]:
        """Experts whose answers weigh less than others', and what they count; none where that is switched off."""
        there = {answer.expert for answer in self._learned} if self.weigh else set()
        return {one.expert: one.weight for one in self.reliance.told if one.weight < 1 and one.expert in there}

    @cached_property
    def audited(self) -> Labels:
        """Agreed labels of the audit: never trained on.

        An image that a person chose counts as well once the design itself has drawn it, whoever asked first.
        """
        return consensus(self.measuring, self.attribute.classes)

    @property
    def measuring(self) -> list[Answer]:
        """The answers that measure: what was said first, and never of an image that its expert chose, unless it was
        asked as an audit."""
        return self.design.measuring(self.first_answers, self.own)

    @property
    def first_answers(self) -> tuple[Answer, ...]:
        """What measures quality and agreement: the first answer of each expert on each image."""
        return self.answers if self.firsts is None else self.firsts

    def is_own(self, row: int, queue: int) -> bool:
        """Whether the expert of the queue chose the image of a pool row for it."""
        expert = next((one.expert_id for one in self.queues if one.id == queue), None)
        return row >= 0 and (str(self.view.pool.asset_ids[row]), self.experts.get(expert or 0, "")) in self.own

    @cached_property
    def newest(self) -> list[Answer]:
        """The newest answer of each expert on each asset (`latest`)."""
        return latest(self.answers)

    @cached_property
    def count(self) -> int:
        """Answers so far: one expert on one asset, skips not counted, audits counted."""
        return sum(answer.value != SKIP for answer in self.newest)

    @property
    def chosen(self) -> int:
        """Of ``count``, the answers on images that their experts chose themselves."""
        told = (answer for answer in self.newest if answer.value != SKIP)
        return sum((answer.asset_id, answer.expert) in self.own for answer in told)

    @cached_property
    def answered(self) -> npt.NDArray[np.intp]:
        """Pool rows that anyone answered, in the order of asking."""
        return np.array(list(dict.fromkeys(row for row, _ in self.answer_rows if row >= 0)), dtype=np.intp)

    @cached_property
    def digest(self) -> str:
        """Of all that decides the probe: the same digest, the same probe."""
        facts = [(a.asset_id, a.title_id, a.expert, a.value, a.purpose) for a in self.newest]
        shape: dict[str, Any] = {
            "classes": self.attribute.classes,
            "prompts": self.attribute.prompts,
            "settings": {key: value for key, value in self.attribute.settings.items() if key not in NOT_LEARNED},
            "revision": self.attribute.revision,
            "encoder": self.view.fingerprint.digest,
        }
        if self.relatives:
            shape["relatives"] = [related.reference for related in self.relatives]
        if self.weights:
            shape["weights"] = self.weights
        corrected = {(a.asset_id, a.expert, a.value) for a in self.first_answers} - {
            row[:1] + row[2:4] for row in facts
        }
        if corrected:
            shape["first"] = sorted(corrected)
        if not self.training.counts().all():
            shape["background"] = 2  # 1: images that people answered, too, stood for a class without answers
        return digest_json([sorted(facts), shape])


def take_snapshot(settings: Settings, name: str) -> Snapshot:
    """Read the attribute's answers, tasks and queues, and map the pool.

    Raises UnknownAttribute, and EmptyPool where nothing can be asked about.
    """
    with reading(settings) as session:
        row = attributes.find(session, name)
        view = open_pool(settings, session)
        experts = {expert.id: expert.email for expert in session.scalars(select(Expert))}
        answers, rows = _answers(session, row.id, view)
        rows = _without_idle_imports(row, view, answers, rows)
        return Snapshot(
            attribute=row,
            queues=_queues(session, row.id),
            experts=experts,
            view=view,
            answers=tuple(answers),
            answer_rows=tuple(rows),
            asked=_asked(session, row.id, view),
            design=_design(row),
            last_run=session.scalar(select(Run).where(Run.attribute_id == row.id).order_by(Run.number.desc()).limit(1)),
            picks=waiting_picks(session, row.id, view),
            own=own_picks(session, row.id),
            relatives=relatives(session, row, view.fingerprint) if settings.use_published else (),
            firsts=tuple(first_answers.independent(session, row, answers)),
            weigh=settings.weigh_experts,
            measured=checks.codes_of(settings, row, view.pool.asset_ids),
            paged=tuple(np.flatnonzero(np.isin(view.keys, list(grids.offered(session, row.id)))).tolist()),
        )


def _design(attribute: Attribute) -> AuditDesign:
    """The draw so far; a learner that began before the titles were drawn again may have left one of before."""
    seed, state = int(attribute.settings["seed"]), attribute.audit_state
    design = AuditDesign.from_bytes(state) if state else AuditDesign(seed)
    return design if design.seed == seed else AuditDesign(seed)


def _queues(session: Session, attribute_id: int) -> tuple[Queue, ...]:
    rows = select(Queue).where(Queue.attribute_id == attribute_id, is_asking()).order_by(Queue.id)
    return tuple(session.scalars(rows))


def _answers(session: Session, attribute_id: int, view: PoolView) -> tuple[list[Answer], list[tuple[int, int]]]:
    given = as_answers(session, attribute_id)
    where = view.positions(answer.asset_id for answer, _ in given)
    return [answer for answer, _ in given], [(int(place), who) for place, (_, who) in zip(where, given, strict=True)]


def _without_idle_imports(
    attribute: Attribute, view: PoolView, answers: list[Answer], rows: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """``rows`` with -1 for imported answers on audit titles: no one was asked, so the audit may still draw the image.

    Such an answer is neither trained on nor weighed; taken as asked it would cost one audit each.
    """
    places = np.array([place for place, _ in rows], dtype=np.intp)
    imported = np.array([answer.purpose == IMPORT for answer in answers], dtype=bool) & (places >= 0)
    share, seed = float(attribute.settings["reserved_share"]), int(attribute.settings["seed"])
    imported[imported] = pool_reserved_mask(view.pool, places[imported], share, seed)
    return [(-1 if idle else place, who) for idle, (place, who) in zip(imported, rows, strict=True)]


def _asked(session: Session, attribute_id: int, view: PoolView) -> tuple[Asked, ...]:
    # Columns, not objects: those take a second more for 40,000 tasks.
    rows: Sequence[Any] = session.execute(
        select(
            Task.id, Task.queue_id, Task.label_studio_task, Task.key, Task.purpose, Task.state, Task.due, Asset.asset_id
        )
        .join(Asset, Asset.id == Task.asset_pk)
        .join(Queue, Queue.id == Task.queue_id)
        .where(
            Queue.attribute_id == attribute_id,
            # What waits in a leaver's queue, or a stopped one, waits for no one.
            or_(Task.state == "answered", (Task.state == "open") & is_asking()),
        )
        .order_by(Task.id)
    ).all()
    places = view.positions(row.asset_id for row in rows)
    return tuple(
        Asked(id, int(place), queue, task_ids.address_of(number, key, asset_id), purpose, state, due)
        for place, (id, queue, number, key, purpose, state, due, asset_id) in zip(places, rows, strict=True)
    )
