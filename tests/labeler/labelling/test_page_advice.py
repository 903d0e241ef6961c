"""When the labelling page points to pages of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler.labelling import page_advice
from attune.labeler.records.session import reading
from tests.support import factories


@pytest.mark.parametrize(
    ("classes", "given", "rare"),
    [
        (["yes", "no"], {}, ""),
        (["yes", "no"], {"no": 19}, ""),
        (["yes", "no"], {"no": 20}, "yes"),
        (["yes", "no"], {"no": 20, "yes": 9, "unsure": 5}, "yes"),
        (["yes", "no"], {"no": 20, "yes": 10}, ""),
        (["yes", "no"], {"yes": 30}, ""),  # a page asks about the first class alone
        (["a", "b", "c"], {"a": 12, "b": 12}, "c"),
        (["a", "b", "c"], {"a": 12, "b": 12, "c": 10}, ""),
    ],
)
def test_a_class_with_few_answers_is_named_once_there_are_others(
    tmp_path: Path, classes: list[str], given: dict[str, int], rare: str
) -> None:
    settings = factories.workspace(tmp_path)
    attribute = factories.add_attribute(settings, classes=classes)
    queue = factories.add_queue(settings, attribute, factories.add_expert(settings))
    values = [value for value, count in given.items() for _ in range(count)]
    for asset, value in zip(factories.add_assets(settings, len(values)), values, strict=True):
        factories.add_answer(settings, queue, asset, value)
    with reading(settings) as session:
        assert page_advice.rare_class(session, attribute) == rare
