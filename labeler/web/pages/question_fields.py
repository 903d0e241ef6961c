"""The fields of a question as a form has them: what was typed, what it means, and what cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attune.labeler.attributes import attributes
from attune.labeler.attributes.revisions import ALL
from attune.models.labels.answers import UNSURE

TEXTS = ("in_scope", "out_of_scope", "positive", "negative")
LONGEST = 4000  # characters of one field


@dataclass(frozen=True)
class OldClass:
    """A class of before in the form: its name now (empty: removed), where its answers go, whether they hold."""

    old: str
    new: str
    to: str
    holds: bool
    answers: int


@dataclass(frozen=True)
class Filled:
    """The form as it stands: text fields as typed; ``old`` and ``unsure`` only where a question is changed.

    ``rows``: the classes of a new question, each with the prompt that describes its images.
    """

    text: Mapping[str, str]
    rows: tuple[tuple[str, str], ...] = ()
    experts: tuple[str, ...] = ()
    old: tuple[OldClass, ...] = ()
    unsure_holds: bool = True
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> list[str]:
        """The classes in their order: those of before by their names of now, then the new ones."""
        new = [name for name, _ in self.rows if name] + lines(self.text.get("classes", ""))
        return [one.new for one in self.old if one.new] + new

    @property
    def into(self) -> dict[str, str]:
        """Which class an old one became: renamed, or removed with its answers sent elsewhere."""
        called = {one.old: one.new for one in self.old}
        targets = {one.old: one.new or called.get(one.to, "") for one in self.old}
        return {old: new for old, new in targets.items() if new and new != old}

    @property
    def hold(self) -> Any:
        """The values whose answers hold."""
        held = [one.old for one in self.old if one.holds] + ([UNSURE] if self.unsure_holds else [])
        return ALL if len(held) == len(self.old) + 1 else held

    def given(self) -> dict[str, Any]:
        """As the fields of ``Definition``."""
        renamed = self.into
        phrases: dict[str, list[str]] = {}
        for line in lines(self.text.get("class_prompts", "")):
            name, _, phrase = line.partition(":")
            phrases.setdefault(renamed.get(name.strip(), name.strip()), []).append(phrase.strip())
        texts = {key: lines(self.text.get(key, "")) for key in TEXTS}
        self._put_prompts(texts, phrases)
        return {
            "name": self.text.get("name", "").strip(),
            "question": self.text.get("question", "").strip(),
            "classes": self.classes,
            "definition": self.text.get("definition", "").strip(),
            "class_prompts": phrases,
            **texts,
        }

    def _put_prompts(self, texts: dict[str, list[str]], by_class: dict[str, list[str]]) -> None:
        """Put each row's prompt where the learner looks for it: of two classes it has fields of its own."""
        fields = ("positive", "negative") if len(self.classes) == 2 else ()
        for place, (name, phrase) in enumerate(row for row in self.rows if row[0]):
            into = texts[fields[place]] if fields else by_class.get(name, [])
            if phrase and phrase not in into:
                into.insert(0, phrase)
                if not fields:
                    by_class[name] = into

    def problems(self) -> dict[str, str]:
        """What cannot be asked, by field."""
        errors = attributes.problems(self.given())
        long = {
            key: f"Too long: {len(text)} characters. Use at most {LONGEST}."
            for key, text in self.text.items()
            if len(text) > LONGEST
        }
        return errors | long


def lines(text: str) -> list[str]:
    """The lines of a text that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]
