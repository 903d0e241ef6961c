"""When a page of images is worth more than single images: early, while a class has hardly any answers.

A page shows a class's likely images beside others, so it finds the first answers of a rare class with few looks; single
images are better once there is something to tell apart (docs/decisions/0012).
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from attune.labeler.answers import counting
from attune.labeler.records.schema import Attribute

ENOUGH = 10  # answers of a class with which single images take over
FIRST = 20  # answers of all classes before which it cannot be said that a class is rare


def rare_class(session: Session, attribute: Attribute) -> str:
    """The class with the fewest answers, of those that pages ask about, while it has fewer than ten; else empty.

    With two classes pages ask about the first.
    """
    count = counting.by_value(session, attribute.id)
    if sum(count.get(name, 0) for name in attribute.classes) < FIRST:
        return ""
    asked = attribute.classes[:1] if len(attribute.classes) == 2 else attribute.classes
    rare = min(asked, key=lambda name: count.get(name, 0))
    return rare if count.get(rare, 0) < ENOUGH else ""
