"""Recommendations: near to what was liked, never what was watched, and histories that leave no name and go in time."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from attune.labeler.cli.recommend import command
from attune.labeler.recommend import histories
from attune.labeler.recommend.recommending import recommend
from attune.labeler.records.schema import Asset, Watched
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.recommend import history_rows
from attune.models.recommend.history_rows import ReadHistory
from tests.support import factories
from tests.workers.jobs.test_learn_taste import genre_pool


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace with a pool of four genres, without a taste space."""
    settings = factories.workspace(tmp_path_factory.mktemp("recommend"))
    genre_pool(settings)
    return settings


def _read(settings: Settings, text: str) -> ReadHistory:
    with reading(settings) as session:
        return history_rows.read(text.encode(), histories.titles_by_id(session))


def _assets(settings: Settings) -> list[Asset]:
    with reading(settings) as session:
        return list(session.scalars(select(Asset).order_by(Asset.id)))


def test_bad_rows_are_left_out_and_counted_by_reason(made: Settings) -> None:
    assets = _assets(made)
    rows = [
        f"u1,{assets[0].asset_id},5", f"u1,{assets[4].title_id},1", ",x,5", "u2,,5", "u2,nowhere,5",
        f"u2,{assets[6].asset_id},good",
    ]  # fmt: skip
    read = _read(made, "user,id,rating\n" + "\n".join(rows))
    assert [(row.title, row.liked) for row in read.rows] == [(assets[0].title_id, True), (assets[4].title_id, False)]
    assert read.left_out == {
        "no user": 1, "no id": 1, "the id is no title and no image of the pool": 1, "the rating is not a number": 1,
    }  # fmt: skip
    with pytest.raises(DataError, match="but not user and id"):
        _read(made, "viewer,film\na,b\n")


def test_titles_come_with_their_reason_and_never_one_that_was_watched(made: Settings) -> None:
    assets = _assets(made)
    watched = [assets[number] for number in (0, 10, 20, 30)]
    lines = [f"u1,{one.asset_id},{5 if place < 3 else 1}" for place, one in enumerate(watched)]
    found = recommend(made, _read(made, "user,id,rating\n" + "\n".join(lines)), top=200)
    (viewer,) = found.viewers
    assert (found.space, viewer.liked, viewer.popular) == ("final", 3, [])
    titles = [one.title_id for one in viewer.titles]
    assert not {one.title_id for one in watched} & set(titles), "a title that was disliked was watched, too"
    assert len(titles) == len({one.title_id for one in assets}) - 4
    assert set(viewer.titles[0].because) == {one.title_id for one in watched[:3]}
    scores = [one.score for one in viewer.titles]
    assert scores == sorted(scores, reverse=True)


def test_kept_histories_hold_no_name_stand_beside_and_go(made: Settings) -> None:
    assets = _assets(made)
    titles = list(dict.fromkeys(one.title_id for one in assets))
    lines = [f"secret-{user},{titles[place]}" for user in range(5) for place in (0, 1)] + [f"secret-0,{titles[2]}"]
    history = _read(made, "user,id\n" + "\n".join(lines))
    assert histories.keep(made, history, 30) == 11
    with reading(made) as session:
        held = list(session.scalars(select(Watched)))
    assert {one.viewer for one in held} == {histories.hashed(made, f"secret-{user}") for user in range(5)}
    assert not any("secret" in one.viewer for one in held)
    mine = _read(made, f"user,id\nme,{titles[0]}\n")
    (viewer,) = recommend(made, mine).viewers
    assert [one.title_id for one in viewer.popular] == [titles[1]]
    assert [one.title_id for one in viewer.item_knn] == [titles[1]]
    (viewer,) = recommend(made, mine, top=500, new_only=True).viewers
    assert titles[1] not in [one.title_id for one in viewer.titles]
    assert titles[2] in [one.title_id for one in viewer.titles], "left out, it would tell what one viewer liked"
    assert histories.erase(made, "secret-0") == 3
    found = recommend(made, mine, top=500, new_only=True)
    assert titles[1] in [one.title_id for one in found.viewers[0].titles]
    assert (found.kept_viewers, found.viewers[0].popular, found.viewers[0].item_knn) == (4, [], []), "four are too few"
    with writing(made) as session:
        for one in session.scalars(select(Watched)):
            one.expires_at = now() - timedelta(seconds=1)
    assert recommend(made, mine).kept_viewers == 0, "what has expired is not used, swept or not"
    with writing(made) as session:
        assert histories.sweep(session) == 8


def test_the_command_says_what_it_left_out_and_prints_one_document(made: Settings, tmp_path: Path) -> None:
    asset = _assets(made)[0]
    file = tmp_path / "watched.csv"
    file.write_text(f"user,id\nu1,{asset.asset_id}\nu1,nowhere\n")
    arguments = ["--history", str(file), "--top", "3", "--workspace", str(made.workspace), "--json"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    value = json.loads(done.stdout)
    assert len(value["viewers"][0]["titles"]) == 3
    assert value["left_out"] == {"the id is no title and no image of the pool": 1}
    assert "1 row left out" in done.stderr
    assert "the histories of 0 viewers are kept, and it takes 5" in done.stderr
    with reading(made) as session:
        assert session.scalar(select(Watched.id).limit(1)) is None, "nothing is kept unless asked"


def test_more_viewers_than_a_query_takes_are_kept_and_again_each_once(
    made: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "VIEWERS_AT_ONCE", 2)
    title = _assets(made)[0].title_id
    history = _read(made, "user,id\n" + "\n".join(f"u{user},{title}" for user in range(5)))
    assert [histories.keep(made, history, 30), histories.keep(made, history, 60)] == [5, 5]
    with reading(made) as session:
        until = [one.expires_at for one in session.scalars(select(Watched))]
    assert len(until) == 5
    assert min(until) > now() + timedelta(days=59)
    assert histories.erase(made, " u3 ") == 1, "as the history is read, without spaces around the name"
    assert histories.erase(made) == 4


def test_what_has_expired_goes_with_the_next_history_where_no_scheduler_runs(made: Settings) -> None:
    titles = [one.title_id for one in _assets(made)[:5:4]]
    histories.keep(made, _read(made, f"user,id\nold,{titles[0]}\n"), 1)
    with writing(made) as session:
        for one in session.scalars(select(Watched)):
            one.expires_at = now() - timedelta(seconds=1)
    histories.keep(made, _read(made, f"user,id\nnew,{titles[1]}\n"), 1)
    with reading(made) as session:
        held = [one.viewer for one in session.scalars(select(Watched))]
    assert held == [histories.hashed(made, "new")]
    histories.erase(made)


def test_only_the_user_who_is_asked_for_is_kept(made: Settings, tmp_path: Path) -> None:
    title = _assets(made)[0].title_id
    file = tmp_path / "watched.csv"
    file.write_text(f"user,id\nu1,{title}\nu2,{title}\n")
    arguments = ["--history", str(file), "--keep", "3", "--workspace", str(made.workspace), "--user"]
    assert CliRunner().invoke(command, [*arguments, "nobody"]).exit_code != 0
    done = CliRunner().invoke(command, [*arguments, "u2"], catch_exceptions=False)
    assert "1 like kept" in done.stderr
    with reading(made) as session:
        held = [one.viewer for one in session.scalars(select(Watched))]
    assert held == [histories.hashed(made, "u2")]
    histories.erase(made)


def test_nothing_is_erased_unless_told_whose(made: Settings) -> None:
    title = _assets(made)[0].title_id
    histories.keep(made, _read(made, f"user,id\nu1,{title}\nu2,{title}\n"), 3)
    place = ["--workspace", str(made.workspace)]
    for unclear in ([], ["--user", "u1", "--everybody"]):
        done = CliRunner().invoke(command, ["erase", *unclear, *place])
        assert done.exit_code != 0
        assert "Nothing was erased" in done.output
    assert CliRunner().invoke(command, ["erase", "--user", "u1", *place]).stdout == "1 like erased.\n"
    assert CliRunner().invoke(command, ["erase", "--everybody", *place]).stdout == "1 like erased.\n"
