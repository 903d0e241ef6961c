"""Which features experts are asked about: who still has to answer must not read what a feature says of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.insights import features
from attune.labeler.insights.known import Known
from attune.labeler.measured import checks
from attune.labeler.people import viewer as viewers
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.measured.eye_checks import given_away


@dataclass(frozen=True)
class PeopleAsked:
    """``known``: all features; ``checked``: the measured ones that a question checks."""

    known: Mapping[str, Known]
    checked: frozenset[str]

    @classmethod
    def of(cls, session: Session, known: Mapping[str, Known]) -> PeopleAsked:
        """As it is now."""
        return cls(known, checks.asked(session))

    def about(self, name: str) -> bool:
        """Whether experts answer what the feature ``name`` says, as a number, in bands, or by another feature of the
        same measurement. Of a feature that is gone nobody knows, so it counts as asked. A guess from words may say what
        any question asks, under whatever name, so it does, too."""
        one = self.known.get(name)
        if one is None or one.audited_by or one.guessed:
            return True
        return one.kind == "measured" and bool(given_away(name) & self.checked)


def waiting_images(session: Session, viewer: Viewer) -> frozenset[str]:
    """The images that wait for an answer of ``viewer``."""
    return frozenset(session.scalars(select(Asset.asset_id).where(Asset.id.in_(viewers.waiting(viewer)))))


def hidden_of(asked: PeopleAsked, waits: frozenset[str], name: str) -> frozenset[str]:
    """Those of the images that wait (``waits``) of which nobody may read what the feature ``name`` says."""
    return waits if asked.about(name) else frozenset()


def hidden_images(settings: Settings, viewer: Viewer, name: str) -> frozenset[str]:
    """The images of which ``viewer`` must not read what the feature ``name`` says."""
    with reading(settings) as session:
        waits = waiting_images(session, viewer)
        return hidden_of(PeopleAsked.of(session, features.known(settings)), waits, name) if waits else waits


def blind(found: Sequence[Mapping[str, Any]], hidden: frozenset[str]) -> list[Mapping[str, Any]]:
    """Pairs of examples without those of the ``hidden`` images: each side of a pair tells the image's class."""
    return [pair for pair in found if not hidden & {pair[side]["asset_id"] for side in ("first", "second")}]
