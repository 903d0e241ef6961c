"""Questions that check a measured feature: experts say of images what the program measured, without seeing its value.

Such a question is an attribute like any other, so that queues, pages and audits are the attributes'. All its titles are
reserved: every answer measures, and no probe learns. Its images are drawn by the feature's value, with known chances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes, audit_batches
from attune.labeler.attributes.attributes import Definition
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.measured import objects, values
from attune.labeler.people import experts
from attune.labeler.queues import queues
from attune.labeler.records.schema import Attribute, Expert
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnknownExpert
from attune.models.evaluation.audit_design import MEASURES_ONLY
from attune.models.measured.eye_checks import CHECKS, EyeCheck
from attune.models.measured.measures import BY_NAME
from attune.models.measured.objects import check_of as object_question
from attune.models.measured.objects import object_check

BEGINS = "check-"  # the name of such a question, before the feature's
KEY = "checks"  # in `Attribute.settings`: the measured feature that the question checks


@dataclass(frozen=True)
class Requested:
    """``attribute`` is the question that checks the feature; ``size`` images were asked for, ``granted`` of them are
    drawn or will be; ``made``: the question is new."""

    attribute: str
    size: int
    granted: int
    made: bool


def check_of(settings: Settings, name: str) -> EyeCheck:
    """How people check the measured feature ``name``. Raises DataError where there is no such feature, or no eye can
    judge it."""
    values.measure_named(settings, name)
    if (found := objects.find(settings, name)) is not None and name not in BY_NAME:
        return object_question(found.phrased)
    if name not in CHECKS:
        raise DataError(
            f"{name} cannot be checked by people: nobody can judge it by looking, or it has too many classes for one "
            f"question. It is what it is defined to be. People can check {', '.join(CHECKS)}."
        )
    return CHECKS[name]


def checked_by(attribute: Attribute) -> EyeCheck | None:
    """How the question ``attribute`` checks a feature; None for a question that checks none."""
    name = str(attribute.settings.get(KEY, ""))
    if name and name not in BY_NAME:
        return object_check(name, attribute.question, attribute.definition)
    return CHECKS.get(name)


def feature_of(attribute: str) -> str:
    """The measured feature that the question of this name checks."""
    return attribute.removeprefix(BEGINS)


def find(session: Session, feature: str) -> Attribute | None:
    """The question that checks the measured ``feature``; None before anyone asked for it."""
    every = session.scalars(select(Attribute).where(Attribute.retired_at.is_(None)).order_by(Attribute.id))
    return next((one for one in every if one.settings.get(KEY) == feature), None)


def asked(session: Session) -> frozenset[str]:
    """The measured features that people are asked about."""
    every = session.scalars(select(Attribute).where(Attribute.retired_at.is_(None)))
    return frozenset(str(one.settings[KEY]) for one in every if KEY in one.settings)


def request(settings: Settings, name: str, size: int, emails: Sequence[str] = ()) -> Requested:
    """Ask for ``size`` further answers about the measured feature ``name``, of the experts ``emails`` or of all who
    answer every question; a learning round of the question has to follow, which draws the images.

    Raises DataError for a feature that nobody can check, that was not measured, or a size out of range; UnknownExpert;
    AlreadyThere where another question has the name; PoolExhausted; LabelStudioUnreachable.
    """
    check = check_of(settings, name)
    if not len(values.measured(settings, name).ids):
        raise DataError(f"No image has a value of {name} yet. Measure first: `attune features measure`")
    named = _experts(settings, emails)
    attribute, made = _question(settings, check)
    ls = LabelStudio.connect(settings)
    queues.ensure(settings, ls, attribute)
    if named:
        queues.ensure(settings, ls, attribute, named)
    done = audit_batches.request(settings, attribute, size, [one.email for one in named])
    return Requested(attribute, size, done.size, made)


def _experts(settings: Settings, emails: Sequence[str]) -> list[Expert]:
    wanted = [experts.address_of(settings, email) for email in emails]
    with reading(settings) as session:
        every = list(session.scalars(select(Expert).where(Expert.removed_at.is_(None)).order_by(Expert.id)))
    if not every:
        raise UnknownExpert("There is no expert yet, so nobody can check it. Add one: `attune expert add EMAIL`")
    known = {one.email: one for one in every}
    for email in wanted:
        if email not in known:
            raise UnknownExpert(
                f"{email!r} is no expert. Experts: {', '.join(known)}. To add one: `attune expert add {email}`"
            )
    if not wanted and not any(one.every_attribute for one in every):
        raise UnknownExpert(
            f"No expert answers every question, so name who is to check it, for example: --expert {every[0].email}"
        )
    return [known[email] for email in dict.fromkeys(wanted)]


def _question(settings: Settings, check: EyeCheck) -> tuple[str, bool]:
    """The name of the question that checks the feature, and whether it is new."""
    with writing(settings) as session:
        found = find(session, check.feature)
        if found is not None:
            return found.name, False
        name = f"{BEGINS}{check.feature}"
        made = attributes.create(session, Definition(name, check.question, check.classes, check.definition), settings)
        made.settings = made.settings | {KEY: check.feature, "reserved_share": MEASURES_ONLY, "audit_share": 0.0}
        return name, True


def codes_of(
    settings: Settings, attribute: Attribute, asset_ids: npt.NDArray[np.str_] | Sequence[str]
) -> npt.NDArray[np.intp] | None:
    """The measured class of each asset (n,), -1 where none is known; None for a question that checks no feature."""
    check = checked_by(attribute)
    return None if check is None else codes(settings, check, [str(one) for one in asset_ids])


def codes(settings: Settings, check: EyeCheck, asset_ids: Sequence[str]) -> npt.NDArray[np.intp]:
    """The measured class of each asset (n,) as ``check`` divides them, -1 where there is no value."""
    return check.codes(values.measured(settings, check.feature).at(asset_ids))


def purpose(attribute: Attribute) -> str:
    """What the question is for, as a sentence for owners."""
    check = checked_by(attribute)
    return "" if check is None else (
        f"This question checks the measured feature {check.feature}. Its answers train no probe. To see how often "
        f"people agree: `attune features show {check.feature}`"
    )  # fmt: skip
