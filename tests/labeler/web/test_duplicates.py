"""Duplicates as a page, a command and an endpoint: what is shown, and what each decision changes."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sqlalchemy import delete, func, select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.assets.proposed import Candidate
from attune.labeler.assets.register import InspectedAsset, register
from attune.labeler.assets.remove import Removed, remove
from attune.labeler.assets.summary import Summary
from attune.labeler.cli.duplicates import command
from attune.labeler.explore import duplicates, look_alikes
from attune.labeler.explore.similar import similar
from attune.labeler.records.schema import Annotation, Asset, Expert, Job, LookAlike
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.duplicates import WIDEST, Pictured, _group
from attune.labeler.views.pictures import PageImage
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError
from attune.models.files.atomic import digest_bytes
from attune.models.vectors.pool import unit_length
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import find_duplicates
from tests.labeler.web.conftest import Actor
from tests.support import factories

ALIKE = ((0, 1), (2, 3, 4), (5, 6))  # places of near duplicates; the last two are of one title
ALONE = 7


def alike(settings: Settings, count: int = 60) -> list[str]:
    """A pool with near duplicates and an outlier; the ids of its images."""
    assets = factories.add_assets(settings, count, images=True, per_title=1)
    rng = np.random.default_rng(5)
    rows = unit_length(1.5 + 0.5 * rng.standard_normal((count, 24)))
    rows[ALONE] = np.where(np.arange(24) % 2, 1.0, -1.0) / np.sqrt(24)
    with writing(settings) as session:
        by_place = [session.get_one(Asset, one.id) for one in assets]
        for first, *others in ALIKE:
            for step, one in enumerate(others, 1):
                rows[one] = unit_length(rows[[first]] + 0.004 * step * rng.standard_normal((1, 24)))[0]
                _copied(by_place[first], by_place[one], 1 + step)
        by_place[6].title_id = by_place[5].title_id
        made = Fingerprint("open_clip", "test", "0" * 64, 24)
        activate(session, made)
    names = [asset.asset_id for asset in assets]
    VectorStore(settings.vectors).append(made, names, rows.astype(np.float32))
    return names


def _copied(source: Asset, target: Asset, smaller: int) -> None:
    """Give ``target`` the picture of ``source``, ``smaller`` times as small."""
    with Image.open(source.uri) as picture:
        size = (picture.width // smaller * 2, picture.height // smaller * 2)
        content = io.BytesIO()
        picture.resize(size).save(content, "JPEG")
    with open(target.uri, "wb") as file:
        file.write(content.getvalue())
    target.width, target.height = size
    target.digest = digest_bytes(content.getvalue())


@pytest.fixture
def names(settings: Settings) -> list[str]:
    """The ids of a pool that was searched."""
    shutil.rmtree(settings.workspace / "cache", ignore_errors=True)
    made = alike(settings)
    find_duplicates.run(settings)
    return made


def groups(settings: Settings) -> list[list[str]]:
    """The ids of each group that is left, sorted."""
    found = duplicates.load(settings)
    assert found
    with reading(settings) as session:
        left = duplicates.left(session, found)
        ids = duplicates.ids_of(session, [one.key for group in left.groups for one in group])
    return sorted(sorted(ids[one.key] for one in group) for group in left.groups)


def planted(names: list[str], *which: int) -> list[list[str]]:
    return sorted(sorted(names[place] for place in ALIKE[one]) for one in which)


def test_a_search_finds_what_is_nearly_the_same_and_what_lies_alone(settings: Settings, names: list[str]) -> None:
    assert groups(settings) == planted(names, 0, 1, 2)
    found = duplicates.load(settings)
    assert found
    with reading(settings) as session:
        left = duplicates.left(session, found)
        ids = duplicates.ids_of(session, [key for key, _ in left.outliers])
        last = duplicates.ids_of(session, [one.key for one in left.groups[-1]])
    assert ids[left.outliers[0][0]] == names[ALONE]
    assert sorted(last.values()) == planted(names, 2)[0], "groups across titles come first"


def test_what_is_said_of_a_group_counts_the_images_that_are_not_shown() -> None:
    """Those that are only alike come last: of eight copies of a file and a ninth picture, all nine are no one file."""
    shown = [Pictured(PageImage(i, f"a{i}", "t", "d", 10, 10), 0, 1.0, duplicates.IDENTICAL) for i in range(WIDEST)]
    last = replace(shown[0], likeness=duplicates.ALIKE, cosine=0.986)
    group = _group([*shown, last])
    assert (group.more, group.likeness, group.cosine) == (1, duplicates.ALIKE, 0.986)


def test_the_page_before_the_first_search_asks_for_it_once(settings: Settings, owner: Actor, expert: Actor) -> None:
    alike(settings, 20)
    assert "Nobody has looked yet" in expert.get("/explore/duplicates").text
    assert "Look for duplicates" not in expert.get("/explore/duplicates").text
    for _ in range(2):
        assert owner.send("/explore/duplicates").status_code == 302
    with writing(settings) as session:
        assert session.scalar(select(func.count(Job.id)).where(Job.kind == "duplicates")) == 1
        session.execute(delete(Job))


def test_an_owner_reads_counts_of_answers_and_an_expert_none(
    settings: Settings, names: list[str], owner: Actor, expert: Actor, ana: Expert
) -> None:
    answered(settings, names[2], ana)
    page = owner.get("/explore/duplicates").text
    assert page.index(names[2]) < page.index(names[3]), "the answered one comes first"
    assert "1 answer<" in page
    assert "Keep only this" in page
    for path in ("/explore/duplicates", "/explore/duplicates?show=outliers"):
        read = expert.get(path).text
        assert names[ALONE if "show" in path else 0] in read
        for word in ("answer", "Keep only this", "Same title", "Remove", "Decisions"):
            assert word not in read.split("<main", 1)[1].split("</main", 1)[0], word


def answered(settings: Settings, name: str, ana: Expert) -> int:
    """Give the image ``name`` an answer; its key."""
    queue = factories.add_queue(settings, factories.add_attribute(settings), ana)
    with reading(settings) as session:
        asset = session.scalars(select(Asset).where(Asset.asset_id == name)).one()
    return factories.add_answer(settings, queue, asset, "romance").id


def asset(settings: Settings, name: str) -> Asset:
    with reading(settings) as session:
        return session.scalars(select(Asset).where(Asset.asset_id == name)).one()


def test_keep_one_says_what_happens_to_answers_then_takes_the_others_out(
    settings: Settings, names: list[str], owner: Actor, ana: Expert
) -> None:
    answered(settings, names[1], ana)
    where = f"/explore/duplicates/confirm?do=keep&keep={names[0]}&image={names[0]}&image={names[1]}"
    page = owner.get(where).text
    assert "1 answer stays in the records" in page
    assert "The image that stays has no answers." in page
    assert owner.send("/explore/duplicates/confirm", form=where, do="keep", keep="x", image=names[0]).status_code == 422
    assert asset(settings, names[1]).removed_at is None
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "do": "keep", "keep": names[0], "image": [names[0], names[1]]}
    assert owner.client.post("/explore/duplicates/confirm", data=fields).status_code == 302
    assert asset(settings, names[0]).removed_at is None
    assert asset(settings, names[1]).removed_at is not None
    with reading(settings) as session:
        assert session.scalar(select(func.count(Annotation.id)).where(Annotation.deleted_at.is_(None))) == 1
    assert groups(settings) == planted(names, 1, 2)


def test_keep_one_is_refused_once_somebody_else_has_removed_it(
    settings: Settings, names: list[str], owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def just_after_another(settings: Settings, ids: list[str], kept: str) -> Removed:
        remove(settings, [names[0]], kept=names[1])
        return remove(settings, ids, kept=kept)

    monkeypatch.setattr("attune.labeler.web.pages.duplicates.remove", just_after_another)
    page = owner.get(f"/explore/duplicates/confirm?do=keep&keep={names[0]}&image={names[0]}&image={names[1]}").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "do": "keep", "keep": names[0], "image": names[:2]}
    refused = owner.client.post("/explore/duplicates/confirm", data=fields)
    assert refused.status_code == 422
    assert "Nothing was removed now" in refused.text
    assert asset(settings, names[1]).removed_at is None


def test_same_title_moves_images_and_can_be_undone(settings: Settings, names: list[str], owner: Actor) -> None:
    before = [asset(settings, one).title_id for one in names[:2]]
    assert names[1] in similar(settings, names[0]).twins
    where = f"/explore/duplicates/confirm?do=title&image={names[0]}&image={names[1]}"
    page = owner.get(where).text
    assert "either trains probes or measures them" in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "do": "title", "image": [names[0], names[1]]}
    assert owner.client.post("/explore/duplicates/confirm", data=fields | {"title": "other"}).status_code == 422
    assert [asset(settings, one).title_id for one in names[:2]] == before
    assert owner.client.post("/explore/duplicates/confirm", data=fields | {"title": before[1]}).status_code == 302
    assert [asset(settings, one).title_id for one in names[:2]] == [before[1]] * 2
    assert names[1] in similar(settings, names[0]).own, "the index of Similar sees it at once"
    assert groups(settings) == planted(names, 1, 2)
    assert f"Same title: {before[1]}" in owner.get("/explore/duplicates").text
    with reading(settings) as session:
        number = session.scalars(select(LookAlike.id)).one()
    for status in (302, 422):
        sent = owner.client.post("/explore/duplicates/undo", data={"csrf_token": token, "decision": number})
        assert sent.status_code == status
    assert [asset(settings, one).title_id for one in names[:2]] == before
    assert groups(settings) == planted(names, 0, 1, 2)


def test_an_answered_image_keeps_its_title_whatever_titles_are_reserved(
    settings: Settings, names: list[str], owner: Actor, ana: Expert
) -> None:
    answer = answered(settings, names[1], ana)
    own, other = asset(settings, names[1]).title_id, asset(settings, names[0]).title_id
    with writing(settings) as session:
        session.get_one(Annotation, answer).deleted_at = now()  # a probe may have learned from it before
    where = f"/explore/duplicates/confirm?do=title&image={names[0]}&image={names[1]}"
    page = owner.get(where).text
    assert "Keeps its title" in page
    assert f'value="{own}"' in page
    assert f'value="{other}"' not in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "do": "title", "title": other, "image": names[:2]}
    refused = owner.client.post("/explore/duplicates/confirm", data=fields)
    assert refused.status_code == 422
    assert "answered or skipped" in refused.text
    assert "reserved" not in refused.text
    assert asset(settings, names[1]).title_id == own
    assert groups(settings) == planted(names, 0, 1, 2), "it was not decided"
    assert look_alikes.same_title(settings, names[:2], own, "olga") == 1, "an image without answers may move"
    assert asset(settings, names[0]).title_id == own


def test_two_answered_images_get_no_common_title(
    settings: Settings, names: list[str], owner: Actor, ana: Expert
) -> None:
    queue = factories.add_queue(settings, factories.add_attribute(settings), ana)
    for name in names[:2]:
        factories.add_answer(settings, queue, asset(settings, name), "romance")
    page = owner.get(f"/explore/duplicates/confirm?do=title&image={names[0]}&image={names[1]}").text
    assert "cannot get one title" in page
    assert "Put under one title" not in page


def test_undo_is_refused_once_an_image_that_moved_is_answered(
    settings: Settings, names: list[str], ana: Expert
) -> None:
    title = asset(settings, names[0]).title_id
    look_alikes.same_title(settings, names[:2], title, "olga")
    answered(settings, names[1], ana)
    with pytest.raises(DataError, match="Nothing was undone"):
        look_alikes.undo(settings, 1)
    assert asset(settings, names[1]).title_id == title
    assert groups(settings) == planted(names, 1, 2), "the decision stands"


def test_undo_in_the_wrong_order_loses_no_title(settings: Settings, names: list[str], owner: Actor) -> None:
    three = names[2:5]
    before = [asset(settings, one).title_id for one in three]
    look_alikes.same_title(settings, three[:2], before[0], "olga")
    look_alikes.same_title(settings, three[1:], before[2], "olga")
    look_alikes.keep_apart(settings, three, "olga")
    refused = owner.send(
        "/explore/duplicates/undo", form=f"/explore/duplicates/confirm?do=remove&image={names[0]}", decision="1"
    )
    assert refused.status_code == 422
    assert f"Same title: {before[2]}" in refused.text
    assert [asset(settings, one).title_id for one in three] == [before[0], before[2], before[2]]
    for number in (2, 1):
        look_alikes.undo(settings, number)
    assert [asset(settings, one).title_id for one in three] == before


def test_undo_leaves_a_title_that_somebody_changed_since(settings: Settings, names: list[str], owner: Actor) -> None:
    title = asset(settings, names[0]).title_id
    look_alikes.same_title(settings, names[:2], title, "olga")
    with writing(settings) as session:
        session.scalars(select(Asset).where(Asset.asset_id == names[1])).one().title_id = "from-a-table"
    look_alikes.undo(settings, 1)
    assert asset(settings, names[1]).title_id == "from-a-table"


def add_table_again(settings: Settings, titles: dict[str, str]) -> Summary:
    """An asset table with a title of each image, which is there already."""
    summary = Summary()
    with writing(settings) as session:
        there = session.scalars(select(Asset).where(Asset.asset_id.in_(titles))).all()
        again = [
            InspectedAsset(Candidate(one.uri, (one.asset_id,), titles[one.asset_id], {}, True), one.digest, None)
            for one in there
        ]
        register(session, again, False, summary)
    return summary


def test_a_table_that_is_added_again_leaves_titles_that_somebody_gave(settings: Settings, names: list[str]) -> None:
    before = {name: asset(settings, name).title_id for name in names[:3]}
    look_alikes.same_title(settings, names[:2], before[names[0]], "olga")
    summary = add_table_again(settings, before | {names[2]: "corrected"})
    assert summary.titles_kept == [names[1]]
    assert [asset(settings, one).title_id for one in names[:3]] == [before[names[0]]] * 2 + ["corrected"]
    add_table_again(settings, before | {names[0]: "new", names[1]: "newer"})
    look_alikes.undo(settings, 1)
    assert [asset(settings, one).title_id for one in names[:2]] == ["new", "newer"], "the table's titles"
    assert add_table_again(settings, before).titles_kept == []
    assert asset(settings, names[1]).title_id == before[names[1]]


def test_of_two_decisions_to_undo_both_gives_the_tables_title(settings: Settings, names: list[str]) -> None:
    three = names[2:5]
    before = {name: asset(settings, name).title_id for name in three}
    look_alikes.same_title(settings, three[:2], before[three[0]], "olga")
    look_alikes.same_title(settings, three[1:], before[three[2]], "olga")
    add_table_again(settings, before | {three[1]: "corrected"})
    titles = [asset(settings, three[1]).title_id]
    for number in (2, 1):
        look_alikes.undo(settings, number)
        titles.append(asset(settings, three[1]).title_id)
    assert titles == [before[three[2]], before[three[0]], "corrected"]


def test_each_image_says_how_like_the_first_of_its_group_it_is(settings: Settings, names: list[str]) -> None:
    with writing(settings) as session:
        by_name = {one.asset_id: one for one in session.scalars(select(Asset).where(Asset.asset_id.in_(names[:7])))}
        by_name[names[3]].digest = by_name[names[2]].digest  # the same file
        other = by_name[names[5]]
        with Image.open(other.uri) as picture:
            changed = picture.convert("RGB")
        changed.paste((255, 255, 255), (0, 0, changed.width // 4, changed.height // 4))
        changed.save(by_name[names[6]].uri, "PNG")
        by_name[names[6]].digest = digest_bytes(Path(by_name[names[6]].uri).read_bytes())
    find_duplicates.run(settings)
    found = duplicates.load(settings)
    assert found
    with reading(settings) as session:
        left = duplicates.left(session, found)
        ids = duplicates.ids_of(session, [one.key for group in left.groups for one in group])
    said = {ids[one.key]: one.likeness for group in left.groups for one in group}
    assert [said[name] for name in names[:7]] == ["first", "same", "first", "identical", "same", "first", "alike"]


def test_the_page_says_how_like_they_are(settings: Settings, names: list[str], owner: Actor) -> None:
    page = owner.get("/explore/duplicates").text
    assert "Same picture, another size" in page
    assert "One picture, saved more than once." in page


def test_once_the_first_is_removed_the_rest_is_compared_again(settings: Settings, names: list[str]) -> None:
    remove(settings, [names[2]])
    assert groups(settings) == sorted([sorted(names[3:5]), *planted(names, 0, 2)])


def test_not_duplicates_is_remembered_also_by_the_next_search(
    settings: Settings, names: list[str], owner: Actor
) -> None:
    page = owner.get("/explore/duplicates").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "image": [names[place] for place in ALIKE[1]]}
    assert owner.client.post("/explore/duplicates/stay", data=fields).status_code == 302
    assert groups(settings) == planted(names, 0, 2)
    find_duplicates.run(settings)
    assert groups(settings) == planted(names, 0, 2)
    fields = {"csrf_token": token, "image": [names[ALONE]], "show": "outliers"}
    assert names[ALONE] in owner.get("/explore/duplicates?show=outliers").text
    assert owner.client.post("/explore/duplicates/stay", data=fields).status_code == 302
    assert names[ALONE] not in owner.get("/explore/duplicates?show=outliers").text
    gone = {"csrf_token": token, "image": ["nobody", names[0]]}
    assert owner.client.post("/explore/duplicates/stay", data=gone).status_code == 422


def test_the_command_and_the_api_list_the_same(settings: Settings, names: list[str], owner: Actor) -> None:
    place = ["--workspace", str(settings.workspace)]
    told = json.loads(CliRunner().invoke(command, [*place, "--json"]).stdout)
    listed = sorted(sorted(one["asset_id"] for one in group["assets"]) for group in told["groups"])
    assert listed == planted(names, 0, 1, 2)
    assert told["outliers"][0]["asset_id"] == names[ALONE]
    answer = owner.get("/api/v1/duplicates?size=2").json
    assert answer["groups"] == told["groups"][:2]
    assert (answer["total"], answer["pages"], answer["outliers"]) == (3, 2, told["outliers"])
    (settings.workspace / "cache" / "duplicates.json").write_text("{")
    assert owner.get("/api/v1/duplicates").json["made_at"] is None
    again = CliRunner().invoke(command, place)
    assert again.exit_code == 0, again.output
    assert names[3] in again.stdout
