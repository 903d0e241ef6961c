"""What stands as true within titles beside a card of what goes with takes is about the card's own images."""

from __future__ import annotations

import pytest

from attune.labeler.insights.insights import Told
from attune.labeler.insights.known import Known
from attune.labeler.records.schema import Insight, InsightQuestion, InsightVersion
from attune.labeler.views.goes_with import Feature, _beside, _within
from attune.labeler.views.pictures import PageImage


def told(number: int, feature: str, contrast: str) -> Told:
    figures = {"estimate": 0.1, "se": 0.02, "q": 0.01, "within": True, "random": True, "unit": None, "titles": 40}
    figures |= {"shrunk": {"estimate": 0.1, "se": 0.02}, "assets": 90, "impressions": 900, "not_audited": False}
    figures |= {"ratio": {"believed": True}, "basis": "random"}
    question = InsightQuestion(feature=feature, contrast=contrast, canvas="", kind="measured")
    return Told(Insight(id=number), question, InsightVersion(grade="A", figures=figures))


@pytest.mark.parametrize(
    ("classes", "of", "contrasts", "number"),
    [
        (("dark", "medium", "light"), "dark", ["light:medium", "medium:dark", "dark:light"], 1),
        (("dark", "medium", "light"), "dark", ["light:medium"], None),
        (("dark", "medium", "light"), "", ["light:medium"], None),
        (("yes", "no"), "no", ["yes:no"], 0),
        ((), "high", ["per sd"], 0),
    ],
)
def test_only_an_insight_about_the_same_images_stands_beside_a_card(
    classes: tuple[str, ...], of: str, contrasts: list[str], number: int | None
) -> None:
    known = Known("tone", 1, "measured", classes, "")
    sure = [told(100, "other", contrasts[0]), *(told(place, "tone", one) for place, one in enumerate(contrasts))]
    found = _within(Feature("tone", "", "", True, "", (), (), of), known, sure)
    assert (None if found is None else found.one.row.id) == number


@pytest.mark.parametrize(
    ("classes", "of", "more", "contrast", "effect", "said"),
    [
        (("yes", "no"), "yes", True, "yes:no", -0.1, "have images with “tone” more often. Within one film, these are"),
        (("yes", "no"), "no", False, "yes:no", -0.1, "have images without “tone” less often. Within one film, these"),
        (("yes", "no"), "yes", True, "yes:no", 0.1, ""),
        (("yes", "no"), "no", True, "yes:no", -0.1, ""),
        (
            (),
            "low",
            True,
            "per sd",
            0.1,
            "have images with a low tone more often. Within one",
        ),
        ((), "high", True, "per sd", 0.1, ""),
        ((), "middle", True, "per sd", 0.1, ""),  # an insight of a number says nothing of its middle
    ],
)
def test_where_titles_and_images_disagree_the_card_says_which_to_use_and_shows_no_poster(
    classes: tuple[str, ...], of: str, more: bool, contrast: str, effect: float, said: str
) -> None:
    one, poster = told(1, "tone", contrast), PageImage(1, "a", "t", "", 1, 1)
    one.figures["shrunk"]["estimate"] = effect
    card = Feature("tone", "", "", True, "", (), (poster,), of, more=more)
    found = _beside(card, Known("tone", 1, "measured", classes, ""), [one], False)
    assert said in found.otherwise
    assert bool(found.otherwise) == bool(said)
    assert bool(found.pictures) != bool(said)
