"""The page of a test that would confirm an insight: what to show to whom, with pictures of both arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attune.labeler.insights import arms, features, insights
from attune.labeler.insights.amounts import often
from attune.labeler.insights.arms import COLUMNS, Arm, RandomTest
from attune.labeler.insights.insights import Told
from attune.labeler.insights.people_asked import hidden_images
from attune.labeler.insights.words import Words, sides_of, words
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.insights import Pair, Side
from attune.labeler.views.pictures import by_id

SHOWN = 12  # titles with their pictures; the file has all


@dataclass(frozen=True)
class TestPage:
    """A test with the ``pairs`` of its first titles; ``amount`` is what it would confirm of its ``kinds``. ``waiting``:
    titles that neither page nor file shows to who still has to answer about one of their images. ``answered``: people
    answered about each of its images, as the feature is only guessed of the others."""

    one: Told
    said: Words
    test: RandomTest
    pairs: Sequence[Pair]
    amount: str
    made_up: bool
    kinds: tuple[str, str]
    waiting: int = 0
    answered: bool = False

    @property
    def unchecked(self) -> str:
        """That pictures may stand on the wrong side, where nobody checked or corrected what made the values."""
        if self.answered:
            return ""
        told = self.said.unchecked or self.said.caution.rstrip(".")
        return f"{told}: an image may stand on the wrong side." if told else ""

    @property
    def total(self) -> int:
        """Impressions of all images together."""
        return 2 * self.test.impressions * len(self.test.arms)


def test_page(settings: Settings, viewer: Viewer, number: int) -> TestPage:
    """The page. Raises UnknownInsight, DataError where no test can be planned."""
    one = insights.find(settings, number)
    planned = arms.plan_test(settings, one)
    allowed = _allowed(settings, viewer, one, planned)
    shown = allowed[:SHOWN]
    with reading(settings) as session:
        wanted = [name for arm in shown for name in (arm.first, arm.second)]
        images = by_id(session, wanted, may_explore(viewer))
    feature = features.known(settings).get(one.question.feature)
    kinds = sides_of(one.question.feature, one.question.contrast)
    pairs = [
        Pair(arm.title_id, *(Side(name, images.get(name), 0.0) for name in (arm.first, arm.second))) for arm in shown
    ]
    return TestPage(one, words(one), planned, pairs, often(planned.plan.effect), one.simulated, kinds,
                    len(planned.arms) - len(allowed), bool(feature and feature.guessed))  # fmt: skip


def arms_rows(settings: Settings, viewer: Viewer, number: int) -> tuple[list[dict[str, object]], Sequence[str]]:
    """The rows of the test's arms that ``viewer`` may read, and their columns. Raises UnknownInsight, DataError."""
    one = insights.find(settings, number)
    planned = arms.plan_test(settings, one)
    return replace(planned, arms=_allowed(settings, viewer, one, planned)).rows(), COLUMNS


def _allowed(settings: Settings, viewer: Viewer, one: Told, planned: RandomTest) -> list[Arm]:
    """The arms without an image that waits for an answer of ``viewer``: each tells what its image shows."""
    hidden = hidden_images(settings, viewer, one.question.feature)
    return [arm for arm in planned.arms if not hidden & {arm.first, arm.second}]
