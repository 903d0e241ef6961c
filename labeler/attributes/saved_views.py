"""Views of an attribute's results that an owner named: the query of an address, kept in the attribute's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.errors import DataError

KEY = "views"
MOST, LONGEST = 30, 60  # of one attribute; characters of a name


@dataclass(frozen=True)
class SavedView:
    """A name, the query of the address that it stands for, and who saved it when (ISO 8601)."""

    name: str
    query: str
    who: str
    at: str


def read(attribute: Attribute) -> list[SavedView]:
    """The saved views, the oldest first."""
    return [SavedView(**one) for one in attribute.settings.get(KEY) or []]


def save(settings: Settings, attribute: str, name: str, state: Sequence[tuple[str, str]], who: str) -> SavedView:
    """Keep ``state`` (name and value of each filter) under ``name``, in place of a view of that name.

    Raises DataError for a name that is empty or too long, or where there are too many views; UnknownAttribute.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST:
        raise DataError(f"The name of the view has {len(name)} characters. Enter 1 to {LONGEST}.")
    view = SavedView(name, urlencode(list(state)), who, iso(now()))
    with writing(settings) as session:
        row = _locked(session, attribute)
        others = [one for one in read(row) if one.name != name]
        if len(others) >= MOST:
            raise DataError(f"{MOST} views are saved already. Remove one that is no longer used, then save again.")
        _keep(row, [*others, view])
    return view


def remove(settings: Settings, attribute: str, name: str) -> None:
    """Forget the view ``name``; nothing where there is none. Raises UnknownAttribute."""
    with writing(settings) as session:
        row = _locked(session, attribute)
        _keep(row, [one for one in read(row) if one.name != name])


def _locked(session: Session, attribute: str) -> Attribute:
    row = attributes.find(session, attribute)
    session.refresh(row, with_for_update=True)
    return row


def _keep(row: Attribute, views: Sequence[SavedView]) -> None:
    row.settings = {**row.settings, KEY: [asdict(one) for one in views]}
