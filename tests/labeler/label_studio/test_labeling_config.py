"""The labelling page and the answers read from it."""

from __future__ import annotations

import xml.etree.ElementTree as Tree
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.labeler.label_studio.labeling_config import HOTKEYS, labelling_config, read_value, write_result
from attune.models.errors import DataError, UnknownAnnotationShape

CLASSES = ["romance", "friendship", "neither"]
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20).filter(
    lambda name: name not in {"unsure", "skip"} and not name.startswith("$")
)


def test_choices_stand_above_the_image_with_a_key_each_and_unsure_on_zero() -> None:
    page = Tree.fromstring(labelling_config("Romantic?", CLASSES))
    assert [child.tag for child in page] == ["Header", "Choices", "Image"]
    choices = [(choice.get("value"), choice.get("hotkey")) for choice in page.iter("Choice")]
    assert choices == [("romance", "1"), ("friendship", "2"), ("neither", "3"), ("unsure", "0")]
    assert page[1].attrib | {"required": "true", "choice": "single"} == page[1].attrib


@given(question=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), classes=st.data())
def test_whatever_the_words_the_page_is_well_formed_and_says_them(question: str, classes: st.DataObject) -> None:
    names = classes.draw(st.lists(NAMES, min_size=2, max_size=len(HOTKEYS), unique=True))
    page = Tree.fromstring(labelling_config(question, names))
    assert [choice.get("value") for choice in page.iter("Choice")] == [*names, "unsure"]
    # A dollar sign would be read as the name of a column of the task.
    assert page[0].get("value") == question.replace("$", "＄")
    keys = [choice.get("hotkey") for choice in page.iter("Choice")]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (["yes"], "has 1 classes. Expected 2 to"),
        ([f"class {n}" for n in range(len(HOTKEYS) + 1)], f"Expected 2 to {len(HOTKEYS)}"),
        (["yes", "yes"], "twice"),
        (["yes", "unsure"], "'unsure' cannot be a class"),
        (["yes", "skip"], "'skip' cannot be a class"),
        (["yes", ""], "'' cannot be a class"),
        (["yes", " no"], "' no' cannot be a class"),
        (["yes", "$no"], "without $ at the start"),
        (["yes", "a\nb"], "printable"),
        (["yes", "n" * 81], "1 to 80"),
    ],
)
def test_classes_that_cannot_be_choices_are_refused_by_name(classes: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words.replace("$", r"\$")):
        labelling_config("Romantic?", classes)


@given(value=st.sampled_from([*CLASSES, "unsure"]))
def test_what_is_written_is_read_back(value: str) -> None:
    assert read_value({"id": 1, "result": write_result(value), "was_cancelled": False}, CLASSES) == value


def test_a_skip_is_an_answer_of_its_own_whatever_was_ticked() -> None:
    assert read_value({"result": [], "was_cancelled": True}, CLASSES) == "skip"
    assert read_value({"result": write_result("romance"), "was_cancelled": True}, CLASSES) == "skip"


def test_other_controls_beside_ours_do_not_matter() -> None:
    note = {"from_name": "notes", "to_name": "image", "type": "textarea", "value": {"text": ["hm"]}}
    assert read_value({"result": [note, *write_result("neither")]}, CLASSES) == "neither"


@pytest.mark.parametrize(
    "result",
    [
        [],
        None,
        write_result("love"),
        write_result("romance") * 2,
        [{"from_name": "label", "value": {"choices": ["romance", "neither"]}}],
        [{"from_name": "label", "value": {"choices": []}}],
        [{"from_name": "label", "value": {"choices": None}}],
        [{"from_name": "label"}],
        [{"value": {"choices": ["romance"]}}],
        ["romance"],
        "romance",
        7,
    ],
)
def test_any_other_shape_is_refused_with_its_id(result: Any) -> None:
    with pytest.raises(UnknownAnnotationShape, match="Annotation 12 contains"):
        read_value({"id": 12, "result": result, "was_cancelled": False}, CLASSES)
