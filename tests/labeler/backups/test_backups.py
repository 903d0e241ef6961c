"""A backup of a workspace that is in use, restored elsewhere: nothing is missing, doubled or changed."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from click.testing import CliRunner
from sqlalchemy import create_engine, select

from attune.labeler.backups import contents, manifest
from attune.labeler.backups.restore import restore
from attune.labeler.backups.sqlite_snapshots import snapshot
from attune.labeler.backups.take import take
from attune.labeler.cli.main import attune
from attune.labeler.people import erased_list
from attune.labeler.records import copy_rows
from attune.labeler.records.schema import Annotation, Asset, Base, ConsoleSession, Expert, Job
from attune.labeler.records.session import configuration, engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import AlreadyThere, DataError, SettingsError
from attune.models.vectors.pool import unit_length
from attune.models.vectors.vector_store import VectorStore
from tests.support import databases, factories

MADE = Fingerprint("open_clip", "test", "0" * 64, 8)
ROOT = Path(__file__).resolve().parents[3]
HOW_TO = ROOT / "docs/how-to/back-up.md"


def silent(_done: int, _total: int) -> None:
    """Hear of progress and do nothing."""


def vectors(count: int) -> Any:
    return unit_length(np.random.default_rng(0).standard_normal((count, MADE.dimension)))


def rows_of(address: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as Python sees it: the same from SQLite and from PostgreSQL."""
    engine = create_engine(address)
    with engine.connect() as connection:
        found = {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for table in Base.metadata.sorted_tables
        }
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace with answers, versions, a person who is logged in, vectors, and an image that came by browser."""
    settings = factories.workspace(tmp_path_factory.mktemp("used") / "workspace")
    factories.add_studio(settings, images=False)
    upload = settings.images / "upload-1" / "a.jpg"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(factories.picture(1))
    user = factories.add_user(settings, "olga@example.org", "owner")
    with writing(settings) as session:
        session.add(
            ConsoleSession(
                user_id=user.id,
                digest="d" * 64,
                network_address="127.0.0.1",
                browser="Firefox",
                made_at=now(),
                last_seen=now(),
                expires_at=now(),
            )
        )
        asset = session.scalars(select(Asset)).first()
        assert asset is not None
        asset.uri = str(upload)
    VectorStore(settings.vectors).append(MADE, [f"a{row}" for row in range(30)], vectors(30))
    (settings.workspace / "catalog" / "romance").mkdir(parents=True)
    (settings.workspace / "catalog" / "romance" / "probe.safetensors").write_bytes(b"weights")
    (settings.workspace / "secrets.json").write_text("{}")
    (settings.workspace / "cache").mkdir()
    (settings.workspace / "cache" / "thumbnail.jpg").write_bytes(b"made again")
    studio = settings.workspace / contents.LABEL_STUDIO
    studio.mkdir()
    with closing(sqlite3.connect(studio / "label_studio.sqlite3")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript("CREATE TABLE django_session (k); INSERT INTO django_session VALUES (1);")
        database.executescript("CREATE TABLE answers (v); INSERT INTO answers VALUES ('romance');")
    return settings


@pytest.fixture(scope="module")
def backup(used: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("backups") / "one"
    take(used, to, silent)
    return to


def test_a_restored_workspace_has_every_row_and_every_file_and_nobody_is_logged_in(
    used: Settings, backup: Path, tmp_path: Path
) -> None:
    new = replace(used, workspace=tmp_path / "new")
    restore(backup, new, silent)
    before, after = rows_of(used.records_url), rows_of(new.records_url)
    assert before.pop("sessions")
    assert after.pop("sessions") == []
    assert before.pop("asset_stamps") != after.pop("asset_stamps"), "what was kept of all assets is made anew"
    moved = str(new.images / "upload-1" / "a.jpg")
    assert after["assets"][0]["uri"] == moved
    for row in before["assets"]:  # all lie in the workspace
        row["uri"] = row["uri"].replace(str(used.workspace), str(new.workspace))
    assert after == before
    assert Path(moved).read_bytes() == factories.picture(1)
    assert (new.workspace / "catalog/romance/probe.safetensors").read_bytes() == b"weights"
    ids = VectorStore(new.vectors).read(MADE)
    assert list(ids.ids) == [f"a{row}" for row in range(30)]
    assert not (new.workspace / "cache").exists()
    with closing(sqlite3.connect(new.workspace / contents.LABEL_STUDIO_DATABASE)) as database:
        assert database.execute("SELECT v FROM answers").fetchall() == [("romance",)]
        assert database.execute("SELECT k FROM django_session").fetchall() == []


def test_who_was_erased_since_the_backup_is_erased_again(used: Settings, backup: Path, tmp_path: Path) -> None:
    new, newer = replace(used, workspace=tmp_path / "new"), replace(used, workspace=tmp_path / "newer")
    newer.workspace.mkdir()
    erased_list.add(newer, "olga@example.org", "left-1@erased.invalid", answers_left=True)
    said = hints(
        "restore", str(backup), "--workspace", str(new.workspace), "--erased", str(newer.workspace / erased_list.NAME)
    )
    assert "1 person of the list of erased people came back with the backup: olga@example.org." in said
    with reading(new) as session:
        job = session.scalars(select(Job).where(Job.kind == "erase")).one()
    assert (job.state, job.arguments["expert"]) == ("queued", "olga@example.org"), "the next start sends it"
    assert erased_list.of(new) == erased_list.of(newer)
    with pytest.raises(DataError, match="lists nobody"):
        restore(backup, replace(used, workspace=tmp_path / "no"), silent, tmp_path / "none.json")
    assert not (tmp_path / "no").exists()
    engine(new.records_url).dispose()


def test_a_plain_restore_names_those_of_the_backups_own_list(used: Settings, tmp_path: Path) -> None:
    backup, new = tmp_path / "backup", tmp_path / "new"
    with reading(used) as session:
        people = sorted({*session.scalars(select(Expert.email)), "olga@example.org"})[:2]
    for number, email in enumerate(people):
        erased_list.add(used, email, f"left-{number}@erased.invalid", answers_left=True)
    take(used, backup, silent)
    (used.workspace / erased_list.NAME).unlink()
    said = hints("restore", str(backup), "--workspace", str(new))
    assert f"2 people of the list of erased people came back with the backup: {', '.join(people)}." in said
    engine(replace(used, workspace=new).records_url).dispose()


def hints(*words: str) -> str:
    """What a command says beside its result."""
    result = CliRunner().invoke(attune, [*words, "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stderr


@pytest.mark.parametrize("harm", ["changed", "gone", "no list", "another's list"])
def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_made(harm: str, used: Settings, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    take(used, broken, silent)
    probe = broken / "catalog/romance/probe.safetensors"
    listed = broken / manifest.NAME
    if harm == "changed":
        probe.write_bytes(b"weightz")
    elif harm == "gone":
        probe.unlink()
    elif harm == "no list":
        listed.unlink()
    else:
        stored = json.loads(listed.read_text())
        stored["files"][0]["path"] = "../outside"
        listed.write_text(json.dumps(stored))
    with pytest.raises(DataError):
        restore(broken, replace(used, workspace=tmp_path / "new"), silent)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken"]


def test_nothing_that_is_there_is_overwritten(used: Settings, backup: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("kept")
    with pytest.raises(AlreadyThere):
        restore(backup, replace(used, workspace=tmp_path / "mine"), silent)
    with pytest.raises(DataError):
        take(used, tmp_path / "mine", silent)
    with pytest.raises(DataError, match="inside the workspace"):
        take(used, used.workspace / "backup", silent)
    assert (tmp_path / "mine" / "file").read_text() == "kept"


def test_a_part_that_is_a_link_is_taken_and_the_way_a_path_is_written_does_not_matter(
    used: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old"
    settings = factories.workspace(old)
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.jpg").write_bytes(b"picture")
    (old / "images").symlink_to(tmp_path / "disk")
    asset = factories.add_assets(settings, 1)[0]
    with writing(settings) as session:
        found = session.get(Asset, asset.id)
        assert found is not None
        found.uri = str(old / "images" / "a.jpg")
    monkeypatch.chdir(old)
    spelt = replace(settings, workspace=Path("../old"), database_url=f"sqlite:///{old / 'records.sqlite'}")
    take(spelt, tmp_path / "backup", silent)
    new = replace(settings, workspace=tmp_path / "new" / ".." / "new")
    (tmp_path / "new" / ".restoring").mkdir(parents=True)  # a restore was killed here
    assert restore(tmp_path / "backup", new, silent).without_file == 0
    (uri,) = (row["uri"] for row in rows_of(new.records_url)["assets"])
    assert uri == str(tmp_path / "new" / "images" / "a.jpg")
    assert Path(uri).read_bytes() == b"picture"
    assert not (tmp_path / "new" / ".restoring").exists()


def test_what_is_removed_or_comes_while_a_backup_is_taken_leaves_no_row_without_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = factories.workspace(tmp_path / "workspace")
    before = factories.add_assets(settings, 1, images=True)[0]

    def meanwhile(source: Path, target: Path) -> None:
        factories.add_assets(settings, 1, images=True)
        snapshot(source, target)
        Path(before.uri).unlink()

    monkeypatch.setattr("attune.labeler.backups.take.snapshot", meanwhile)
    assert take(settings, tmp_path / "backup", silent).counts.images == 2
    new = replace(settings, workspace=tmp_path / "new")
    assert restore(tmp_path / "backup", new, silent).without_file == 0
    assert all(Path(row["uri"]).is_file() for row in rows_of(new.records_url)["assets"])


def test_while_others_write_each_row_has_its_file_and_the_vectors_are_of_one_moment(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path / "workspace")
    store = VectorStore(settings.vectors)
    stop, written = threading.Event(), threading.Event()

    def work() -> None:
        for number in range(2000):
            if stop.is_set():
                return
            path = settings.images / "upload-1" / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"picture %d" % number)
            store.append(MADE, [f"a{number}"], vectors(1))
            with writing(settings) as session:
                session.add(
                    Asset(
                        asset_id=f"a{number}",
                        title_id="t",
                        uri=str(path),
                        digest=f"{number:064x}",
                        width=2,
                        height=3,
                        added_at=now(),
                    )
                )
            if number == 3:
                written.set()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert written.wait(60)
        for number in range(3):
            made = take(settings, tmp_path / f"backup-{number}", silent)
            new = replace(settings, workspace=tmp_path / f"new-{number}")
            restore(tmp_path / f"backup-{number}", new, silent)
            named = [Path(row["uri"]) for row in rows_of(new.records_url)["assets"]]
            assert made.counts.images == len(named) > 0
            assert all(path.is_file() and path.is_relative_to(new.workspace) for path in named)
            ids = VectorStore(new.vectors).read(MADE).ids
            assert list(ids) == [f"a{row}" for row in range(len(ids))]
    finally:
        stop.set()
        worker.join()


def test_a_backup_of_an_older_release_gets_todays_schema_and_one_of_a_newer_is_refused(
    used: Settings, tmp_path: Path
) -> None:
    settings = replace(used, workspace=tmp_path / "old")
    settings.workspace.mkdir()
    factories.newest(settings)
    command.downgrade(configuration(settings.records_url), "-1")
    # Today's code counts these tables; the last migrations did not change them.
    made = take(settings, tmp_path / "backup", silent)
    new = replace(used, workspace=tmp_path / "new")
    restore(tmp_path / "backup", new, silent)
    assert set(rows_of(new.records_url)) == {table.name for table in Base.metadata.sorted_tables}
    replace(made, schema="9999").write(tmp_path / "backup")
    with pytest.raises(DataError, match="9999"):
        restore(tmp_path / "backup", replace(used, workspace=tmp_path / "newer"), silent)


@pytest.mark.postgresql
@pytest.mark.slow
def test_rows_go_to_postgresql_and_back_and_ids_go_on(
    used: Settings, postgresql: databases.MakeUrl, tmp_path: Path
) -> None:
    there, back = postgresql(), f"sqlite:///{tmp_path / 'back.sqlite'}"
    count = copy_rows.copy(used.records_url, there, silent)
    assert copy_rows.copy(there, back, silent) == count
    assert rows_of(back) == rows_of(there) == rows_of(used.records_url)
    with pytest.raises(AlreadyThere):
        copy_rows.copy(used.records_url, there, silent)
    take(used, tmp_path / "first", silent)
    with pytest.raises(AlreadyThere):
        restore(tmp_path / "first", replace(used, workspace=tmp_path / "full", database_url=there), silent)
    assert not (tmp_path / "full").exists()
    moved = replace(used, database_url=there)
    highest = max(row["id"] for row in rows_of(there)["users"])
    assert factories.add_user(moved, "new@example.org", "owner").id > highest
    # A backup of records on PostgreSQL is one of SQLite, which both can restore.
    take(moved, tmp_path / "backup", silent)
    again = replace(used, workspace=tmp_path / "again", database_url=postgresql())
    restore(tmp_path / "backup", again, silent)
    assert not (again.workspace / contents.RECORDS).exists()
    assert len(rows_of(again.records_url)["annotations"]) == len(rows_of(used.records_url)["annotations"]) > 0
    engine(there).dispose()


def test_an_address_that_is_no_database_is_refused_without_its_password() -> None:
    with pytest.raises(SettingsError) as told:
        copy_rows.address("mysql://olga:secret@db/attune")
    assert "secret" not in str(told.value)


def folders_in_the_code() -> Iterator[str]:
    for room in ("labeler", "workers", "models"):
        for path in (ROOT / room).rglob("*.py"):
            yield from re.findall(r"workspace(?:\.absolute\(\))? / \"([^\"/]+)\"", path.read_text(encoding="utf-8"))


def test_every_place_of_a_workspace_is_in_a_backup_or_left_out_on_purpose_and_the_page_says_which() -> None:
    known = {part.name for part in contents.PARTS} | set(contents.LEFT_OUT)
    assert {name for name in folders_in_the_code() if not name.endswith(".lock")} <= known
    rows = [line for line in HOW_TO.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = {
        name.strip("/"): row.split("|")[3].strip()
        for row in rows
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert set(told) == known
    for part in contents.PARTS:
        assert told[part.name] == ("unless `--without-vectors`" if part.again else "yes")
    assert {told[name] for name in contents.LEFT_OUT} == {"no"}


def test_annotations_are_part_of_what_is_counted(used: Settings, backup: Path) -> None:
    with reading(used) as session:
        assert manifest.read(backup).counts.answers == len(session.scalars(select(Annotation.id)).all()) > 0
