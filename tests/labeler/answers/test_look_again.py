"""Who can be asked to look at an answer again: each expert once, about what they said last."""

from __future__ import annotations

import pytest

from attune.labeler.answers import look_again
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from tests.support import factories

OWNER = Viewer("owner", "olga@example.org")


def test_an_expert_who_answered_an_image_twice_is_offered_once_with_the_newest(settings: Settings) -> None:
    romance, (asset,) = factories.add_attribute(settings), factories.add_assets(settings, 1)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    older, newest = (factories.add_answer(settings, queue, asset, value) for value in ("romance", "friendship"))
    with reading(settings) as session:
        offered = look_again.offered(session, OWNER, romance, [asset.id])
    assert {key: [one.annotation for one in given] for key, given in offered.items()} == {asset.id: [newest.id]}
    with pytest.raises(DataError, match="cannot be looked at again"):
        look_again.ask(settings, OWNER, romance.name, older.id)
    assert look_again.ask(settings, OWNER, romance.name, newest.id) == "Ana"
