"""docs/explanation/house.md names what is in the code."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.docs.pages import ROOT, name_of
from tests.project.reference.house import picture, rooms

PAGE = ROOT / "docs" / "explanation" / "house.md"
TEXT = PAGE.read_text(encoding="utf-8")
STEPS = re.findall(r"`((?:labeler|models|workers)(?:\.\w+)+)`", TEXT)
WALKS = {
    heading: TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0] for heading in ("An answer", "An asset", "A version")
}


@pytest.mark.parametrize("step", STEPS)
def test_every_step_of_a_walk_is_a_function_of_that_module(step: str) -> None:
    thing, names = None, step.split(".")
    for end in range(len(names) - 1, 1, -1):
        try:
            thing = importlib.import_module("attune." + ".".join(names[:end]))
        except ModuleNotFoundError:
            continue
        names = names[end:]
        break
    for name in names:
        thing = getattr(thing, name, None)
    assert callable(thing), f"{name_of(PAGE)} names {step}, which is not in the code"


@pytest.mark.parametrize("heading", WALKS)
def test_a_walk_is_numbered_in_one_go(heading: str) -> None:
    numbers = [int(number) for number in re.findall(r"^(\d+)\. `", WALKS[heading], re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 10


def test_the_picture_has_every_room() -> None:
    drawn = picture()
    assert [
        room
        for package in ("labeler", "models", "workers")
        for room in rooms(package)
        if f">{room}</text>" not in drawn
    ] == []


def test_names_in_capitals_are_where_the_table_says() -> None:
    for name, path in re.findall(r"`([A-Z_]{4,})` in `([\w/]+\.py)`", TEXT):
        assert re.search(rf"^{name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), (name, path)
