"""Attributes: create one with its question, classes, definition and prompts; find one by name."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Attribute, AttributeRevision
from attune.labeler.settings import Settings, secrets
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError, UnknownAttribute
from attune.models.labels.answers import SKIP, UNSURE

NAME = re.compile(r"[a-z][a-z0-9_-]{1,38}[a-z0-9]")
NAME_RULE = "Use 3 to 40 of a-z, 0-9, - and _. Begin with a letter and end with a letter or digit."
RESERVED = {UNSURE, SKIP}
REDRAWN = "redrawn"  # in `Attribute.settings`: the last run before the audit titles were drawn again, if they were


@dataclass(frozen=True)
class Definition:
    """What an attribute says; refuses what could not be asked, naming the field."""

    name: str
    question: str
    classes: Sequence[str]
    definition: str = ""
    in_scope: Sequence[str] = ()
    out_of_scope: Sequence[str] = ()
    positive: Sequence[str] = ()
    negative: Sequence[str] = ()
    class_prompts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = {item.name: getattr(self, item.name) for item in fields(self)}
        for field_, said in problems(given).items():
            raise DataError(f"{field_.replace('class_prompts', 'class prompts')}: {said}")

    @property
    def prompts(self) -> dict[str, Any]:
        """Phrases by use: for the first class, against it, and for each class."""
        by_class = {name: list(texts) for name, texts in self.class_prompts.items()}
        return {"positive": list(self.positive), "negative": list(self.negative), "classes": by_class}


def problems(definition: Mapping[str, Any]) -> dict[str, str]:
    """What could not be asked, by field; ``definition`` as ``Definition``'s fields, of which some may be absent."""
    checks = {
        "name": _name_problem,
        "question": _question_problem,
        "classes": _classes_problem,
        **dict.fromkeys(("in_scope", "out_of_scope", "positive", "negative"), _texts_problem),
    }
    errors = {
        key: message for key, check in checks.items() if key in definition and (message := check(definition[key]))
    }
    classes = definition.get("classes", ())
    for name, texts in definition.get("class_prompts", {}).items():
        if name not in classes:
            errors["class_prompts"] = f"{name!r} is not a class. The classes are {', '.join(classes)}."
        elif message := _texts_problem(texts):
            errors["class_prompts"] = message
    return errors


def _name_problem(name: str) -> str:
    if NAME.fullmatch(name):
        return ""
    return f"{name!r} is not allowed. {NAME_RULE} For example: serious-expression."


def _question_problem(question: str) -> str:
    return "" if question.strip() else "it is empty. Give the sentence that experts read above each image."


def _texts_problem(texts: Sequence[str]) -> str:
    return "" if all(text.strip() for text in texts) else "one of the texts is empty. Write it or leave it out."


def _classes_problem(classes: Sequence[str]) -> str:
    names_text = ", ".join(repr(name) for name in classes) or "none"
    if len(classes) < 2:
        return f"got {names_text}. At least 2 are needed, for example --classes 'serious,not serious'."
    if len(classes) > 9:
        return f"got {len(classes)}. At most 9 are allowed, one key each. Combine some, or create two questions."
    if len({name.lower() for name in classes}) < len(classes):
        return f"{names_text} has a name twice. Each class needs a different name."
    for name in classes:
        if not name.strip() or name != name.strip() or len(name) > 60 or name.startswith("$") or not name.isprintable():
            return f"{name!r} is not allowed. A class has 1 to 60 printable characters, without spaces around it."
        if name.lower() in RESERVED:
            return f"{name!r} is always offered beside the classes. Use another name."
    return ""


def create(session: Session, definition: Definition, settings: Settings) -> Attribute:
    """Record a new attribute at revision 1, with the chance and the shares that it keeps for life.

    Raises AlreadyThere where the name is taken, also by an object by words: its questions would be about the attribute.
    """
    from attune.labeler.measured import objects  # which loads what guesses them

    if objects.find(settings, definition.name) is not None:
        raise AlreadyThere(
            f"An object by words is called {definition.name!r} already. Use another name. To see it: `attune features "
            f"show {definition.name}`"
        )
    if session.scalar(select(Attribute.id).where(Attribute.name == definition.name)):
        raise AlreadyThere(
            f"The attribute {definition.name!r} already exists. Use another name. To see this one: `attune "
            f"attribute show {definition.name}`"
        )
    attribute = Attribute(
        name=definition.name,
        question=definition.question.strip(),
        classes=list(definition.classes),
        definition=definition.definition.strip(),
        in_scope=list(definition.in_scope),
        out_of_scope=list(definition.out_of_scope),
        prompts=definition.prompts,
        settings=_kept_settings(settings),
        created_at=now(),
    )
    session.add(attribute)
    session.flush()
    content = {key: value for key, value in asdict(definition).items() if key != "name"}
    content = {key: list(value) if isinstance(value, tuple) else value for key, value in content.items()}
    session.add(
        AttributeRevision(attribute_id=attribute.id, revision=1, content=content, reason="created", created_at=now())
    )
    return attribute


def _kept_settings(settings: Settings) -> dict[str, Any]:
    """The seed and the reserved share decide which titles are never trained on: changing them later would leak.

    The seed is the same for every attribute, so that no published probe has learned from a title that another's audit
    measures: only then may one lean on the other (``attune.labeler.catalog.related_probes``).
    """
    return {
        "seed": audit_seed(settings),
        "reserved_share": settings.audit_share,
        "strategy": settings.strategy,
    }


def audit_seed(settings: Settings) -> int:
    """The seed of new attributes, 160 bits: from a secret of the workspace, and too long for anyone to find by trying,
    whatever the answers tell. An expert who had it could tell each audit by the title of its image.
    """
    key = secrets.load(settings.secrets).audit_key.encode()
    digest = hmac.digest(key, f"reserved-titles:{settings.seed}".encode(), "sha256")
    return int.from_bytes(digest[:20], "big")


def kept_with_runs(seed: int) -> int:
    """What a run keeps of the seed: the records have signed numbers of 64 bits."""
    return seed & (2**63 - 1)


def find(session: Session, name: str) -> Attribute:
    """The attribute called ``name``.

    Raises UnknownAttribute with near names.
    """
    attribute = session.scalar(select(Attribute).where(Attribute.name == name))
    if attribute is None:
        names = list(session.scalars(select(Attribute.name).order_by(Attribute.name)))
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Existing attributes: {', '.join(names) or 'none yet'}."
        raise UnknownAttribute(
            f"The attribute {name!r} does not exist. {hint} To list all attributes: `attune attribute list`"
        )
    return attribute


def every(session: Session) -> list[Attribute]:
    """All attributes that are not retired, by name."""
    return list(session.scalars(select(Attribute).where(Attribute.retired_at.is_(None)).order_by(Attribute.name)))


def instruction(attribute: Attribute, pages: bool = False) -> str:
    """What the expert reads before the first image, or page of images, as HTML for Label Studio's instruction box."""
    from markupsafe import escape

    parts = [f"<p><b>{escape(attribute.question)}</b></p>"]
    if attribute.definition:
        parts.append(f"<p>{escape(attribute.definition)}</p>")
    for heading, texts in (("Counts", attribute.in_scope), ("Does not count", attribute.out_of_scope)):
        if texts:
            items = "".join(f"<li>{escape(text)}</li>" for text in texts)
            parts.append(f"<p><b>{heading}</b></p><ul>{items}</ul>")
    keys = ", ".join(f"<b>{number}</b> {escape(name)}" for number, name in enumerate(attribute.classes, 1))
    how = "Click the images, or press their keys." if pages else f"Keys: {keys}, <b>0</b> unsure."
    parts.append(f"<p>{how} <b>Ctrl+Enter</b> submits, <b>Ctrl+Space</b> skips.</p>")
    # Label Studio shows this at each visit, over the image, and hears the keys all the while.
    parts.append(
        "<p><b>Esc</b> closes these instructions. Close them before you answer, because the keys already work.</p>"
    )
    return "".join(parts)
