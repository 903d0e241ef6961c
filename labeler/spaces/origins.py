"""In which version of its space a clustering or a map was made, and whether the space is made in another way today.

Vectors of a space change when the encoder is switched, a layer's components are found anew, or another version of taste
comes into use. What was made before stays as it is, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from attune.labeler.records.schema import Clustering, Layout
from attune.labeler.spaces import spaces
from attune.labeler.spaces.learned import TASTE
from attune.models.errors import DataError
from attune.models.similarity.projected_pool import version_of


@dataclass(frozen=True)
class Origin:
    """The ``space``, the ``version`` of a learned one, and the one ``in_use`` today; ``older``: vectors of the space
    are made in another way today."""

    space: str
    version: int | None
    in_use: int | None
    older: bool

    @property
    def label(self) -> str:
        """The space as commands name it, such as ``taste@2``."""
        return self.space if self.version is None else f"{self.space}@{self.version}"

    @property
    def cell(self) -> str:
        """The same for a table, where what is older says so."""
        return f"{self.label}, older" if self.older else self.label

    @property
    def note(self) -> str:
        """What to know of something that was made in an older version; empty where it is of today's."""
        if not self.older:
            return ""
        if self.space != TASTE:
            return "Made in an older version of this space. It stays as it is. Make it again to see today's."
        now = "None is" if self.in_use is None else f"Version {self.in_use} is"
        again = "" if self.in_use is None else f" Make it again to see version {self.in_use}."
        return f"Made in version {self.version} of the taste space. {now} in use now. It stays as it is.{again}"


def of(session: Session, rows: Iterable[Clustering | Layout]) -> dict[int, Origin]:
    """The origin of each of ``rows``, all of one table, by its id."""
    given = list(rows)
    today = {}
    for name in {row.space for row in given}:
        try:
            today[name] = spaces.fingerprint_of(session, name)
        except DataError:  # of a newer Attune
            today[name] = None
    return {
        row.id: Origin(
            row.space, row.space_version, version_of(made) if (made := today[row.space]) else None,
            made is None or made.digest != row.space_digest,
        )
        for row in given
    }  # fmt: skip
