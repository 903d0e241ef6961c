"""Reasons that count one say so, wherever they are read: pages, cards and commands."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.evaluation.evaluate import evaluate_audit
from attune.models.evaluation.metrics import too_few
from attune.models.labels.agreement import alpha
from attune.models.labels.labels import Labels
from attune.models.text import counted, plural, spaced, there_are, without_controls
from tests.models.labels.test_agreement import panel


@pytest.mark.parametrize(("shared", "said"), [(1, "1 image has answers of 2 experts"), (3, "3 images have answers")])
def test_agreement_counts_its_images(shared: int, said: str) -> None:
    assert alpha(panel(np.zeros((shared, 2), dtype=np.intp))).reason.startswith(said)


@pytest.mark.parametrize(("n", "said"), [(1, "there is 1 audit answer, "), (4, "there are 4 audit answers, ")])
def test_an_audit_counts_its_answers(n: int, said: str) -> None:
    ids = tuple(f"a{i}" for i in range(n))
    labels = Labels(ids, ids, np.tile([1.0, 0.0], (n, 1)), np.ones(n))
    found = evaluate_audit(labels, np.full((n, 2), 0.5), np.ones(n), ("yes", "no"))
    assert found["average_precision"].reason.startswith(said)


def test_a_class_counts_its_answers() -> None:
    assert too_few(np.array([1.0, 0.0, 0.0])).startswith("1 positive answer and 2 negative")


def test_verbs_follow_the_number() -> None:
    assert [plural(n, "image", "are") for n in (0, 1, 2)] == ["0 images are", "1 image is", "2 images are"]
    assert there_are(0, "answer") == "there are 0 answers"


def test_thousands_stand_apart_on_pages() -> None:
    assert [counted(n, "answer") for n in (0, 1, 1200)] == ["0 answers", "1 answer", "1\u202f200 answers"]


def test_a_terminals_thousands_have_commas_and_pages_show_them_apart() -> None:
    said = plural(1_600_000, "image")
    assert said == "1,600,000 images"
    assert spaced(f"{said} of 1,600.") == "1\u202f600\u202f000 images of 1\u202f600."
    assert spaced("ids 1,2,3 and 7,12 and 2026,101 and a,100") == "ids 1,2,3 and 7,12 and 2026,101 and a,100"


def test_what_a_terminal_obeys_goes_and_what_joins_letters_stays() -> None:
    assert without_controls("a\x1b[31m\u202e\u2066\u200b\u2028\xad\U000e0041b") == "a\ufffd[31m" + "\ufffd" * 6 + "b"
    persian, family = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f468\u200d\U0001f469"
    assert without_controls(persian + family) == persian + family
