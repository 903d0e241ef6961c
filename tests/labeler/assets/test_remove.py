"""A removed asset is gone from wherever it could be seen, asked about or computed with; answers keep their row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler.assets import media
from attune.labeler.assets.add import Request, add
from attune.labeler.assets.at_place import at_place
from attune.labeler.assets.remove import remove
from attune.labeler.records.schema import Asset, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, secrets
from attune.models.errors import UnknownAsset
from attune.models.vectors.vector_store import VectorStore
from tests.support.factories import picture

pytestmark = pytest.mark.torch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def asset(settings: Settings, asset_id: str) -> Asset:
    with reading(settings) as session:
        return session.scalars(select(Asset).where(Asset.asset_id == asset_id)).one()


def test_pool_vectors_thumbnails_and_addresses_forget_it(settings: Settings, folder: Path) -> None:
    add(settings, Request([str(folder)]))
    before = asset(settings, "a.jpg")
    media.thumbnail(settings, before)
    keys = secrets.load(settings.secrets)
    url, _ = media.media_url(settings, keys, "a.jpg", NOON)
    done = remove(settings, ["a.jpg"])
    assert (done.removed, done.vectors) == (["a.jpg"], 1)
    after = asset(settings, "a.jpg")
    assert after.removed_at is not None
    assert (after.uri, after.columns) == ("", {})
    assert not media.thumbnail_path(settings, before.digest, 256).exists()
    store = VectorStore(settings.vectors)
    assert all("a.jpg" not in store.ids(made) for made in store.fingerprints())
    token = url.rsplit("/", 2)[1]
    with reading(settings) as session, pytest.raises(UnknownAsset, match="removed on"):
        media.visible_asset(session, media.signed_asset(keys, token, NOON))
    with pytest.raises(UnknownAsset, match="removed on"):
        media.open_asset(settings, after)


def test_again_it_finishes_what_was_left_and_says_so(settings: Settings, folder: Path) -> None:
    add(settings, Request([str(folder)]))
    remove(settings, ["a.jpg", "b.jpg"])
    done = remove(settings, ["b.jpg", "c.jpg"])
    assert (done.removed, done.removed_before, done.vectors) == (["c.jpg"], ["b.jpg"], 1)


def test_a_place_still_names_the_images_whose_removal_was_killed(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(settings, Request([str(folder)]))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(VectorStore, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            remove(settings, at_place(settings, str(folder)).there)
    left = at_place(settings, str(folder))
    assert not left.there, "they are out of the pool"
    done = remove(settings, left.left_over)
    assert done.vectors == len(left.left_over) > 2
    with pytest.raises(UnknownAsset, match="No image of the pool lies at"):
        at_place(settings, str(folder))


def test_an_unknown_id_removes_nothing_and_gets_near_ones(settings: Settings, folder: Path) -> None:
    add(settings, Request([str(folder)]))
    with pytest.raises(UnknownAsset, match=r"'a.jpeg' does not exist\. Nothing was removed\. Did you mean a\.jpg"):
        remove(settings, ["b.jpg", "a.jpeg"])
    assert asset(settings, "b.jpg").removed_at is None


def test_the_same_image_under_another_id_keeps_its_thumbnail(settings: Settings, folder: Path) -> None:
    (folder / "copy.jpg").write_bytes(picture(0))
    add(settings, Request([str(folder)]))
    media.thumbnail(settings, asset(settings, "a.jpg"))
    remove(settings, ["a.jpg"])
    assert media.thumbnail_path(settings, asset(settings, "copy.jpg").digest, 256).exists()
    assert (
        VectorStore(settings.vectors)
        .read(VectorStore(settings.vectors).fingerprints()[0])
        .ids.tolist()
        .count("copy.jpg")
    )


def test_open_tasks_are_retired_and_answered_ones_stay(settings: Settings, folder: Path) -> None:
    add(settings, Request([str(folder)]))
    states = put_tasks(settings, {"a.jpg": "open", "b.jpg": "answered", "c.jpg": "open"})
    done = remove(settings, ["a.jpg", "b.jpg"])
    assert done.tasks == 1
    assert "Label Studio" in done.label_studio_error, "nobody answers there, and that is said"
    with reading(settings) as session:
        found = {task.id: task.state for task in session.scalars(select(Task))}
    assert {id_: found[key] for id_, key in states.items()} == {
        "a.jpg": "retired",
        "b.jpg": "answered",
        "c.jpg": "open",
    }


def put_tasks(settings: Settings, states: dict[str, str]) -> dict[str, int]:
    """One task on each asset, in the state given; their keys by asset_id."""
    from attune.labeler.records.schema import Attribute, Expert, Queue
    from attune.models.clock import now

    with writing(settings) as session:
        attribute = Attribute(name="serious", question="?", classes=["yes", "no"], created_at=now())
        expert = Expert(email="ana@example.org", name="Ana", added_at=now())
        session.add_all([attribute, expert])
        session.flush()
        queue = Queue(attribute_id=attribute.id, expert_id=expert.id, project=1, view=1, created_at=now())
        session.add(queue)
        session.flush()
        made = {}
        for number, (asset_id, state) in enumerate(states.items()):
            key = session.scalars(select(Asset.id).where(Asset.asset_id == asset_id)).one()
            task = Task(
                queue_id=queue.id,
                asset_pk=key,
                label_studio_task=number,
                purpose="seed",
                utility=0.0,
                reason="",
                run=0,
                state=state,
                created_at=now(),
            )
            session.add(task)
            session.flush()
            made[asset_id] = task.id
    return made
