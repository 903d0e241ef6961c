"""A person is erased: afterwards nothing in the workspace says who it was, and the answers count on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.people import (
    access_log,
    erase,
    erase_again,
    erased_list,
    experts,
    masked_files,
    personal_data,
    users,
)
from attune.labeler.people.access_log import Entry
from attune.labeler.people.login_sessions import Origin
from attune.labeler.records.schema import (
    Annotation,
    Asset,
    Attribute,
    Base,
    Comment,
    Expert,
    Job,
    Notice,
    Run,
    User,
    Version,
)
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.services.process_runner import roll
from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.errors import DataError, LabelStudioUnreachable, UnknownExpert
from tests.support import databases, factories
from tests.support.fake_door import FakeDoor

ANA, DIANA = "ana@example.org", "diana@example.org"


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Ana has answered, commented and been told of; Diana's address ends as hers does. No Redis."""
    url = databases.database(request) if hasattr(request, "param") else None
    made = factories.workspace(tmp_path, redis_url="unix:///nowhere.sock", database_url=url)
    attribute = factories.add_attribute(made)
    ana, _ = factories.add_expert(made, ANA, "Ana Novak"), factories.add_expert(made, DIANA, "Diana")
    queue = factories.add_queue(made, attribute, ana)
    (asset, _other) = factories.add_assets(made, 2)
    factories.add_answer(made, queue, asset, "romance")
    login = factories.add_user(made, ANA, "expert", ana)
    users.log_in(made, ANA, factories.PASSWORD, Origin("10.0.0.7", "Firefox"))
    run = factories.add_run(made, attribute, 8, labels={"experts": {ANA: 1, DIANA: 2}})
    factories.publish(made, run)
    link = f"/people/person?email={quote(ANA, safe='')}"
    told = {"kind": "empty", "at": now(), "attribute_id": attribute.id, "link": link}
    with writing(made) as session:
        for email in (DIANA, "root@example.org"):  # nobody logs in as them, and hashing takes long
            session.add(User(email=email, role="admin", password_hash="scrypt", created_at=now()))
        session.add(Notice(key="1", title="Ana Novak has no open tasks", text=f"Ask {ANA}, not {DIANA}.", **told))
        session.add(Notice(key="2", title="Images wait", expert_id=ana.id, **told))
        comment = {"attribute_id": attribute.id, "asset_pk": asset.id, "at": now()}
        session.add(Comment(user_id=login.id, text="I, Ana, say no.", **comment))
    yield made
    engine(made.records_url).dispose()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> FakeDoor:
    """A Label Studio that erases."""
    return FakeDoor().install(monkeypatch)


def everything(settings: Settings) -> str:
    """All texts of the records, as one."""
    with reading(settings) as session:
        rows = [tuple(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    return repr(rows)


def erased(settings: Settings, **options: Any) -> Job:
    """Erase Ana."""
    return erase.hand_over(settings, erase.ask(settings, ANA, **options), wait=True)


@pytest.mark.parametrize("settings", databases.BOTH, indirect=True)
def test_nothing_names_the_person_and_the_answers_count_on(settings: Settings, door: FakeDoor) -> None:
    with reading(settings) as session:
        manifest = session.scalars(select(Version.manifest)).one()
    job = erased(settings)
    assert job.state == "done"
    alias = job.result["expert"]
    text = everything(settings).casefold()
    for trace in (f"'{ANA}", quote(ANA, safe=""), f" {ANA}", "novak", "i, ana", "10.0.0.7"):
        assert trace not in text.replace(DIANA, ""), trace
    assert text.count(DIANA) >= 4, "a longer address is another person's"
    assert door.shut[0] == ANA
    assert door.erased == {ANA: alias}
    assert all("Novak" not in title for title in door.titles.values())
    assert door.titles
    with reading(settings) as session:
        expert = session.scalars(select(Expert).join(Annotation)).one()
        assert expert.email == alias
        assert session.scalars(select(Annotation.deleted_at)).one() is None
        assert session.scalars(select(Run.labels)).one()["experts"] == {alias: 1, DIANA: 2}
        assert session.scalars(select(Version.manifest)).one() == manifest, "its digest is what pipelines check"
    with pytest.raises(UnknownExpert, match="was erased on"):
        erase.ask(settings, ANA)


def test_answers_are_excluded_where_that_is_asked_for(settings: Settings, door: FakeDoor) -> None:
    erased(settings, drop_answers=True)
    with reading(settings) as session:
        assert session.scalars(select(Annotation.deleted_at)).one() is not None
    assert not erased_list.of(settings)[0].answers_left


def test_images_are_found_as_before_though_their_names_hold_the_address(settings: Settings) -> None:
    """Function-level, as the job does it last."""
    names = {"asset_id": f"{ANA}/p", "title_id": ANA, "uri": f"s3://studio/{ANA}/p.jpg"}
    with writing(settings) as session:
        asset = session.scalars(select(Asset).limit(1)).one()
        for column, value in names.items():
            setattr(asset, column, value)
        attribute = session.scalars(select(Attribute)).one()
        attribute.in_scope = [names["asset_id"], f"what {ANA} drew"]
        other = session.scalars(select(Asset).where(Asset.id != asset.id)).one()
        other.uri = f"s3://studio/{DIANA}/p.jpg"
    with writing(settings) as session:
        done = personal_data.erase(session, ANA, "left-1@erased.invalid")
    with reading(settings) as session:
        kept = session.get_one(Asset, asset.id)
        assert {column: getattr(kept, column) for column in names} == names
        scope = session.scalars(select(Attribute.in_scope)).one()
        assert scope == [names["asset_id"], "what left-1@erased.invalid drew"], "an example is found by its id"
        assert session.scalars(select(Expert.email).where(Expert.id == Annotation.expert_id)).one() != ANA
    assert done.images == 1, "a longer address is another person's"


def test_what_stays_in_names_of_images_is_said_with_the_next_step(settings: Settings, door: FakeDoor) -> None:
    with writing(settings) as session:
        session.scalars(select(Asset).limit(1)).one().uri = f"s3://studio/{quote(ANA, safe='')}/p.jpg"
    (said,) = erased(settings).result["still_there"]
    assert said.startswith("The location, id or title of 1 image holds the address")
    assert "`attune assets add`" in said


@pytest.mark.parametrize("step", ["erased_list.add", "masked_files.mask", "personal_data.erase", "jobs.finish"])
def test_a_kill_between_two_steps_loses_nothing(
    settings: Settings, door: FakeDoor, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    job_id = erase.ask(settings, ANA)
    module, _, name = step.partition(".")
    with monkeypatch.context() as patch:
        patch.setattr(getattr(erase, module), name, _killed)
        with pytest.raises(KeyboardInterrupt):
            erase.hand_over(settings, job_id, wait=True)
    job = erase.hand_over(settings, job_id, wait=True)
    assert job.state == "done"
    assert ANA not in everything(settings).replace(DIANA, "")
    assert len(erased_list.of(settings)) == 1


def _killed(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_access_ends_at_once_and_the_rest_waits_for_label_studio(settings: Settings, door: FakeDoor) -> None:
    door.away = True
    job = erased(settings)
    assert job.state == "failed"
    assert users.log_in(settings, ANA, factories.PASSWORD, Origin()) is None
    assert erase.ask(settings, ANA) == job.id, "one job for a person"
    door.away = False
    assert erase.hand_over(settings, job.id, wait=True).state == "done"
    assert LabelStudioUnreachable.__name__ not in everything(settings)


def test_the_last_admin_cannot_be_erased(settings: Settings, door: FakeDoor) -> None:
    users.set_role(settings, "root@example.org", "owner")
    with pytest.raises(DataError, match="cannot be erased"):
        erase.ask(settings, DIANA)
    with reading(settings) as session:
        assert not session.scalars(select(Job)).all()


def test_the_access_log_and_logs_lose_the_person_in_place(settings: Settings) -> None:
    def entry(who: str, path: str) -> Entry:
        return Entry(iso(now()), who, "expert", "10.0.0.7", "saw", "image", path)

    access_log.write(settings, entry(ANA, "/"))
    access_log.write(settings, entry(DIANA, f"/people/person?email={quote(ANA, safe='')}"))
    settings.logs.mkdir()
    log = settings.logs / "worker.log"
    log.write_text(f"leave-1 starts: {{'expert': '{ANA}'}}\nnothing of {DIANA}\n")
    size = log.stat().st_size
    assert masked_files.mask(settings, ANA) == 1
    assert masked_files.mask(settings, ANA) == 0
    (left,) = access_log.read(settings)
    assert left.who == DIANA
    assert "ana%40" not in left.path
    assert ANA not in log.read_text().replace(DIANA, "")
    assert DIANA in log.read_text()
    assert log.stat().st_size == size, "programs go on appending"


def test_a_log_that_is_put_aside_while_it_is_masked_loses_the_person_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.logs.mkdir()
    log = settings.logs / "worker.log"
    log.write_text(f"nothing\nstarts: {ANA}\n")
    put, pread = [log], os.pread

    def rolled(*asked: Any) -> bytes:
        if put:
            roll(put.pop())
        return pread(*asked)

    monkeypatch.setattr(masked_files.os, "pread", rolled)
    masked_files.mask(settings, ANA)
    assert log.read_text() == "", "nothing is written behind the end of a file that was emptied"
    assert ANA not in (settings.logs / "worker.log.1").read_text()


def test_who_comes_back_with_a_backup_is_erased_again(settings: Settings, door: FakeDoor, tmp_path: Path) -> None:
    other = tmp_path / "newer"
    other.mkdir()
    erased_list.join(other, [])
    salted = erased_list.Erased("00" * 16, erased_list._hash(ANA, "00" * 16), "left-1@erased.invalid", iso(now()), True)
    erased_list.join(other, [salted])
    assert ANA not in (other / erased_list.NAME).read_text()
    assert (other / erased_list.NAME).stat().st_mode & 0o777 == 0o600
    ((job,), _stays) = erase_again.again(settings, other / erased_list.NAME)
    assert (job.state, job.arguments["alias"]) == ("done", "left-1@erased.invalid")
    assert erased_list.of(settings) == (salted,), "the list comes along"
    assert ANA not in everything(settings).replace(DIANA, "")
    assert erase_again.again(settings, other / erased_list.NAME) == ([], "")
    (other / "empty.json").write_text(json.dumps({"erased": []}))
    with pytest.raises(DataError, match="lists nobody"):
        erase_again.again(settings, other / "empty.json")


def test_who_was_erased_and_is_added_again_stays(settings: Settings, door: FakeDoor) -> None:
    erased(settings)
    factories.add_expert(settings, ANA, "Ana is back")
    assert erase_again.repeat(settings, erased_list.of(settings)) == erase_again.Repeated()
    with reading(settings) as session:
        assert not session.scalars(select(Job).where(Job.state != "done")).all()


def test_whose_key_stands_here_already_gets_another(settings: Settings, door: FakeDoor) -> None:
    alias = erased(settings).arguments["alias"]
    factories.add_expert(settings, ANA, "Ana, of a backup")
    with writing(settings) as session:
        session.scalars(select(Expert).where(Expert.email == ANA)).one().added_at = now() - timedelta(days=9)
    (job_id,) = erase_again.repeat(settings, erased_list.of(settings)).jobs
    assert erase_again.repeat(settings, erased_list.of(settings)).jobs == (job_id,), "one job for a person"
    job = erase.hand_over(settings, job_id, wait=True)
    assert job.state == "done"
    assert job.arguments["alias"] != alias


def test_the_last_admin_stays_though_a_list_names_all_of_them(settings: Settings, door: FakeDoor) -> None:
    admins = [DIANA, "root@example.org"]
    listed = [
        erased_list.Erased(
            "00" * 16, erased_list._hash(one, "00" * 16), f"left-{one[0]}@erased.invalid", iso(now()), True
        )
        for one in admins
    ]
    back = erase_again.repeat(settings, listed)
    assert back.people == ("root@example.org",)
    assert back.stays.startswith("diana@example.org was erased before and is the last admin here")


def test_removed_people_are_erased_when_their_time_is_over(
    settings: Settings, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)
    experts.remove(settings, ANA)
    with writing(settings) as session:
        session.scalars(select(Expert).where(Expert.email == ANA)).one().removed_at = now() - timedelta(days=31)
        session.scalars(select(User).where(User.email == ANA)).one().disabled_at = now() - timedelta(days=31)
    assert erase.ask_when_due(settings) == 0, "nothing is erased unless the setting says so"
    assert erase.ask_when_due(replace(settings, erase_after_days=60)) == 0
    monthly = replace(settings, erase_after_days=30)
    assert erase.ask_when_due(monthly) == 1
    assert erase.ask_when_due(monthly) == 0, "asked already"
    with reading(settings) as session:
        assert session.scalars(select(Job.arguments).where(Job.kind == "erase")).one()["expert"] == ANA
