"""The page of a test that would confirm an insight: what to show to whom, with pictures of both arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attune.labeler.insights import arms, features, insights
from attune.labeler.insights.arms import COLUMNS, RandomTest
from attune.labeler.insights.insights import Told
from attune.labeler.insights.people_asked import PeopleAsked, waiting_images
from attune.labeler.insights.words import Words, often, sides_of, words
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.insights import Pair, Side
from attune.labeler.views.pictures import by_id

SHOWN = 12  # titles with their pictures; the file has all


@dataclass(frozen=True)
class TestPage:
    """A test with the ``pairs`` of its first titles; ``amount`` is what it would confirm of its ``kinds``."""

    one: Told
    said: Words
    test: RandomTest
    pairs: Sequence[Pair]
    amount: str
    made_up: bool
    kinds: tuple[str, str]

    @property
    def total(self) -> int:
        """Impressions of all images together."""
        return 2 * self.test.impressions * len(self.test.arms)


def test_page(settings: Settings, viewer: Viewer, number: int) -> TestPage:
    """The page. Raises UnknownInsight, DataError where no test can be planned."""
    one = insights.find(settings, number)
    planned = arms.plan_test(settings, one)
    known = features.known(settings)
    with reading(settings) as session:
        asked = PeopleAsked.of(session, known).about(one.question.feature)
        hidden = waiting_images(session, viewer) if asked else frozenset[str]()
        shown = [arm for arm in planned.arms if not hidden & {arm.first, arm.second}][:SHOWN]
        wanted = [name for arm in shown for name in (arm.first, arm.second)]
        images = by_id(session, wanted, may_explore(viewer))
    kinds = sides_of(one.question.feature, one.question.contrast)
    pairs = [
        Pair(arm.title_id, *(Side(name, images.get(name), 0.0) for name in (arm.first, arm.second))) for arm in shown
    ]
    return TestPage(one, words(one), planned, pairs, often(planned.plan.effect), one.simulated, kinds)


def arms_rows(settings: Settings, number: int) -> tuple[list[dict[str, object]], Sequence[str]]:
    """All rows of the test's arms, and their columns. Raises UnknownInsight, DataError."""
    return arms.plan_test(settings, insights.find(settings, number)).rows(), COLUMNS
