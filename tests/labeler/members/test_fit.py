"""From files to groups: what is told, what is never told, and forecasts for titles that nobody watched."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner
from redis import Redis
from sqlalchemy import select

from attune.labeler.cli.members import command
from attune.labeler.jobs import jobs
from attune.labeler.members import bring, fit, forecasting, groupings, kept, rows, words
from attune.labeler.members.bring import Wanted
from attune.labeler.members.columns import RESPONSES, VIEWING
from attune.labeler.records.schema import Asset, Job, MemberFile, MemberGrouping
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, NotEnoughLabels, ServiceDown, UnknownAsset, UnknownGrouping
from attune.workers.jobs import group_members
from attune.workers.runtime import lost_jobs
from tests.support import factories, member_files
from tests.workers.jobs.test_learn_taste import genre_pool

NEW = 20  # titles at the end that nobody watched


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A pool of 120 titles, and one version of groups of all members' rows, which are gone after it."""
    made = factories.workspace(tmp_path_factory.mktemp("members") / "workspace")
    genre_pool(made)
    images: dict[str, list[str]] = {}
    genres: dict[str, str] = {}
    with reading(made) as session:
        for asset in session.scalars(select(Asset).order_by(Asset.id)):
            images.setdefault(asset.title_id, []).append(asset.asset_id)
            genres[asset.title_id] = genres.get(asset.title_id) or asset.columns["genre"]
    watched = list(images)[:-NEW]
    files = member_files.files(
        tmp_path_factory.mktemp("files"), watched, [genres[one] for one in watched], [images[one] for one in watched]
    )
    brought = [
        bring.add(made, Wanted(VIEWING, files.viewing), None).row,
        bring.add(made, Wanted(RESPONSES, files.responses, arm="explore"), None).row,
    ]
    group_members.run(made, clusters=3, who="olga", once=[row.id for row in brought])
    made.workspace.joinpath("liked").write_text("\n".join(files.liked))
    return made


@pytest.fixture
def version(settings: Settings) -> MemberGrouping:
    return groupings.find(settings)


def test_groups_titles_and_artwork_are_told(settings: Settings, version: MemberGrouping) -> None:
    figures = version.figures
    assert [one["group"] for one in figures["groups"]] == [1, 2, 3]
    sizes = [one["members"] for one in figures["groups"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == pytest.approx(member_files.MEMBERS, abs=30)
    assert figures["stability"] > 0.8
    assert not figures["loose"]
    assert figures["each_member_once"]
    assert all(one["titles"][0]["lift"] > 1.2 for one in figures["groups"])
    resonance = figures["resonance"]
    assert resonance["grade"] == "A"
    sure = [one for one in resonance["images"] if one["q"] <= 0.1 and one["estimate"] > 0]
    liked = settings.workspace.joinpath("liked").read_text().split()
    assert {one["asset_id"] for one in sure if one["group"] == 1} >= set(liked)
    assert all(one["ci"][0] < one["estimate"] < one["ci"][1] for one in sure)


def test_each_member_counts_once_also_where_there_is_one_file_alone(settings: Settings, tmp_path: Path) -> None:
    watched, shown = tmp_path / "v.csv", tmp_path / "r.csv"
    watched.write_text("member,title_id\na,t\na,u\na,v\nb,t\n")
    shown.write_text("member,asset_id,title_id,impressions,takes\na,i,t,1,0\na,j,u,1,1\nb,i,t,1,0\n")
    for kind, file in ((VIEWING, watched), (RESPONSES, shown)):
        row = bring.add(settings, Wanted(kind, str(file), arm="explore"), None).row
        held = rows.load(settings, [row])
        kept.delete(settings, [row.id])
        found = held.viewing or held.responses
        assert found
        assert (held.members, sorted(set(found.member.tolist())), len(found.member)) == (2, [0, 1], row.rows)


def test_no_cell_below_the_floor_is_stored_and_rows_are_gone(settings: Settings, version: MemberGrouping) -> None:
    figures = version.figures
    for one in figures["titles"]:
        cells = [None if share is None else share * one["members"] for share in one["shares"]]
        assert all(cell is None or cell >= figures["floor"] - 1 for cell in cells)
        assert sum(cell is None for cell in cells) != 1
        assert one["members"] % 10 == 0
    hidden = Counter(share is None for one in figures["titles"] for share in one["shares"])
    assert hidden[True] > 0, "the test has cells to hide"
    assert not list((settings.workspace / "members").glob("*"))
    with reading(settings) as session:
        assert not kept.listed(session)


def test_a_title_that_nobody_watched_is_forecast_and_one_that_was_is_not(
    settings: Settings, version: MemberGrouping
) -> None:
    whole = version.figures["forecast"]["whole"]
    assert whole["ci"][0] > 0
    told = forecasting.forecast(settings, version, "title-119")
    assert sum(one["share"] for one in told["shares"]) == pytest.approx(1, abs=0.001)
    assert all(0 <= one["ci"][0] <= one["share"] <= one["ci"][1] <= 1 for one in told["shares"])
    assert told["grade"] == "D"
    assert "osters" in told["posters"]
    with pytest.raises(DataError, match="watched title-0 already"):
        forecasting.forecast(settings, version, "title-0")
    with pytest.raises(UnknownAsset):
        forecasting.forecast(settings, version, "nowhere")


def test_a_version_is_promoted_with_a_reason(settings: Settings, version: MemberGrouping) -> None:
    with pytest.raises(UnknownGrouping, match="No version is promoted"):
        groupings.find(settings, "champion")
    with pytest.raises(DataError, match="reason is empty"):
        groupings.promote(settings, "1", " ", "olga")
    groupings.promote(settings, "latest", "looked through", "olga")
    assert groupings.find(settings, "champion").id == version.id
    for name in ("99", "first", "9" * 30):
        with pytest.raises(UnknownGrouping, match="There is no version"):
            groupings.find(settings, name)


def test_whoever_is_erased_during_a_fit_is_in_no_version(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "v.csv"
    file.write_text("member,title_id\na,t\nb,t\n")
    row = bring.add(settings, Wanted(VIEWING, str(file)), None).row
    seen = []

    def made(_: object, files: list[MemberFile], *__: object) -> MemberGrouping:
        seen.append([one.rows for one in files])
        if len(seen) == 1:
            kept.erase(settings, "a")
        return MemberGrouping(kind=VIEWING, groups=2, seed=0, figures={}, made_at=now())

    monkeypatch.setattr(fit, "_made", made)
    group_members.run(settings, once=[row.id])
    assert seen == [[2], [1]], "it began again, without them"
    with pytest.raises(DataError, match="rows that this command brought are gone"):
        group_members.run(settings, once=[row.id])


def test_a_killed_job_begins_again_with_its_rows(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(settings) as session:
        number = jobs.record(session, kept.JOB, once=[1])
        job = session.get_one(Job, number)
        job.state, job.created_at = "running", now() - timedelta(hours=1)
    sent: list[str] = []
    monkeypatch.setattr(lost_jobs, "_is_in_redis", lambda *_, **__: False)
    monkeypatch.setattr(lost_jobs, "_count_requeue", lambda *_: len(sent) * lost_jobs.MOST_TIMES)
    monkeypatch.setattr(jobs, "send", lambda _, job, __: sent.append(job))
    for _ in range(2):
        lost_jobs.requeue_lost(settings, cast(Redis, None))
    assert sent == [number]
    with reading(settings) as session:
        assert session.get_one(Job, number).state == "lost"


def test_a_command_whose_job_no_queue_takes_leaves_no_rows(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ServiceDown("Redis does not answer.")

    file = tmp_path / "v.csv"
    file.write_text("member,title_id\na,t\n")
    monkeypatch.setattr(jobs, "ask", refused)
    told = CliRunner().invoke(command, ["fit", "--viewing", str(file), "--workspace", str(settings.workspace)])
    assert isinstance(told.exception, ServiceDown) or "Redis does not answer" in told.output
    with reading(settings) as session:
        assert not kept.listed(session)


def test_a_forecast_names_the_group_that_surely_differs() -> None:
    loud = {"group": 3, "share": 0.02, "ci": [0.0, 0.2], "usual": 0.01}
    sure = {"group": 1, "share": 0.55, "ci": [0.45, 0.65], "usual": 0.35}
    said = words.shares([sure, loud])
    said = said.replace("\xa0", " ")
    assert said.startswith(
        "More of group 1 than usual: it is expected to be 55 % of its viewers, probably between 45 % and 65 %"
    )
    assert "of all viewing it has 35 %" in said
    assert words.shares([sure | {"usual": 0.8}]).startswith("Fewer of group 1 than usual")
    assert "Grade D" in said
    assert words.shares([loud]).startswith("No group is surely expected to differ")


def test_responses_that_were_served_make_no_groups_and_no_rows_none(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No viewing and no responses are kept"):
        group_members.run(settings)
    file = tmp_path / "r.csv"
    file.write_text("member,asset_id,title_id,impressions,takes\na,i,t,1,0\n")
    row = bring.add(settings, Wanted(RESPONSES, str(file)), None).row
    with pytest.raises(DataError, match="what a program believed"):
        group_members.run(settings, once=[row.id])
    with reading(settings) as session:
        assert not kept.listed(session), "also where the fit fails"
    row = bring.add(settings, Wanted(RESPONSES, str(file), arm="explore"), 1).row
    with pytest.raises(NotEnoughLabels, match="Add more responses"):
        group_members.run(settings)
    kept.erase(settings)
