"""The bar below images that can be chosen and answered: of which question, with which classes and keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from attune.labeler.label_studio.labeling_config import with_keys
from attune.labeler.labelling import availability
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.schema import Attribute, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.settings.workspace_id import workspace_id
from attune.labeler.views.labelling import Choice
from attune.models.labels.answers import UNSURE


@dataclass(frozen=True)
class Choosing:
    """``questions``: pairs (name, question) that the viewer answers. ``name`` is the one meant, empty where there are
    several and none is chosen; then there is no class to press. ``unsure``: its key."""

    questions: Sequence[tuple[str, str]]
    name: str = ""
    question: str = ""
    revision: int = 0
    choices: Sequence[Choice] = ()
    unsure: str = ""
    workspace: str = ""


def choosing(settings: Settings, viewer: Viewer, name: str = "") -> Choosing | None:
    """The bar of the question ``name``, or of the only one; None for a viewer who answers nothing here.

    That is one without a queue, or whose queue is stopped, and everybody where Label Studio runs without our modules.
    """
    if viewer.expert_id is None or not availability.is_available(settings):
        return None
    with reading(settings) as session:
        mine = (Queue.expert_id == viewer.expert_id, is_asking(), Attribute.retired_at.is_(None))
        rows = select(Attribute).join(Queue, Queue.attribute_id == Attribute.id).where(*mine)
        every = {one.name: one for one in session.scalars(rows.order_by(Attribute.name))}
    if not every:
        return None
    questions = [(one.name, one.question) for one in every.values()]
    one = every.get(name) or (next(iter(every.values())) if len(every) == 1 else None)
    if one is None:
        return Choosing(questions)
    choices = [Choice(value, key) for value, key in with_keys(one.classes)]
    unsure = next(choice.key for choice in choices if choice.value == UNSURE)
    classes = [choice for choice in choices if choice.value != UNSURE]
    return Choosing(questions, one.name, one.question, one.revision, classes, unsure, workspace_id(settings))
