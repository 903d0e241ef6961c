"""The workspaces that the pages' tests look at, for what counts answers; and one expert with one queue."""

import pytest

from attune.labeler.records.schema import Expert, Queue
from attune.labeler.settings import Settings
from tests.labeler.views.conftest import settings, studio
from tests.support import factories

__all__ = ["settings", "studio"]


@pytest.fixture(name="ana")
def _ana(settings: Settings) -> Expert:
    return factories.add_expert(settings)


@pytest.fixture(name="queue")
def _queue(settings: Settings, ana: Expert) -> Queue:
    return factories.add_queue(settings, factories.add_attribute(settings, "serious", classes=["yes", "no"]), ana)
