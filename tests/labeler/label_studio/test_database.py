"""Where our own Label Studio keeps its database: in the workspace, or in a PostgreSQL that a setting names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from attune.labeler import settings as reader
from attune.labeler.backups import restore, take
from attune.labeler.label_studio import database_template, local
from attune.labeler.queues import queues
from attune.labeler.services import task_database
from attune.labeler.settings import Settings, secrets
from attune.models.errors import ServiceDown, SettingsError
from tests.support import factories
from tests.support.databases import MakeUrl
from tests.support.services import Services


def silent(_done: int, _total: int) -> None:
    """Hear of progress and do nothing."""


def named(folder: Path, url: str) -> Settings:
    return reader.build({}, workspace=folder, label_studio_database_url=url)


@pytest.mark.parametrize(
    ("url", "host", "port", "password"),
    [
        ("postgresql://ls:it%27s%20ours@db.studio.lan:6543/tasks", "db.studio.lan", "6543", "it's ours"),
        ("postgresql+psycopg://ls:x@/tasks?host=/run/postgresql", "/run/postgresql", "5432", "x"),
    ],
)
def test_label_studio_is_told_the_place_that_the_setting_names(
    tmp_path: Path, url: str, host: str, port: str, password: str
) -> None:
    told = local.environment(named(tmp_path, url))
    assert told["DJANGO_DB"] == "default"
    assert (told["POSTGRE_HOST"], told["POSTGRE_PORT"], told["POSTGRE_NAME"]) == (host, port, "tasks")
    assert (told["POSTGRE_USER"], told["POSTGRE_PASSWORD"]) == ("ls", password)
    assert not any(name.startswith("POSTGRE") for name in local.environment(reader.build({}, workspace=tmp_path)))


def test_a_workspace_whose_label_studio_has_tasks_is_not_started_on_an_empty_database(tmp_path: Path) -> None:
    settings = named(tmp_path, "postgresql://ls:x@db/tasks")
    database = local.data_folder(settings) / database_template.DATABASE
    database.parent.mkdir()
    database.write_bytes(b"tasks and answers")
    with pytest.raises(SettingsError, match=r"Attune does not move them.*Unset ATTUNE_LABEL_STUDIO_DATABASE_URL"):
        database_template.place(settings, print)
    assert database.read_bytes() == b"tasks and answers"


def test_a_workspace_whose_tasks_are_on_postgresql_never_begins_an_empty_database(tmp_path: Path) -> None:
    settings = named(tmp_path, "postgresql://ls:x@db/tasks")
    for _ in range(2):
        database_template.place(settings, print)
    assert not (local.data_folder(settings) / database_template.DATABASE).exists()
    forgotten = reader.build({}, workspace=tmp_path)
    with pytest.raises(SettingsError, match="ATTUNE_LABEL_STUDIO_DATABASE_URL is not set"):
        database_template.place(forgotten, print)
    assert not (local.data_folder(settings) / database_template.DATABASE).exists()


def test_tls_is_told_to_libpq_and_an_option_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    told = local.environment(named(tmp_path, "postgresql://ls:x@db/tasks?sslmode=verify-full&sslrootcert=/x.pem"))
    assert (told["PGSSLMODE"], told["PGSSLROOTCERT"]) == ("verify-full", "/x.pem")
    for wrong, words in (("/tasks?sslmod=require", r"does not know: \['sslmod'\]"), ("", "names no database")):
        with pytest.raises(SettingsError, match=words):
            local.environment(named(tmp_path, f"postgresql://ls:x@db{wrong}"))


def test_a_backup_says_that_the_database_is_elsewhere(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path / "workspace", label_studio_database_url="postgresql://ls:x@db/tasks")
    taken = take.take(settings, tmp_path / "backup", silent)
    assert any("pg_dump" in line for line in taken.elsewhere)


def test_the_first_start_after_a_restore_ends_the_logins_on_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the restore itself the database's own dump may still have to be restored."""
    settings = factories.workspace(tmp_path / "workspace", label_studio_database_url="postgresql://ls:x@db/tasks")
    database_template.place(settings, print)
    take.take(settings, tmp_path / "backup", silent)
    new = replace(settings, workspace=tmp_path / "new")
    restore.restore(tmp_path / "backup", new, silent)
    said, asked, reported = "no tables of Label Studio", [], list[str]()
    monkeypatch.setattr(local, "_change", lambda _, wish: asked.append(wish) or said)
    with pytest.raises(ServiceDown, match=r"at db/tasks: no tables.*Without a dump, delete (\S+), then") as refused:
        database_template.place(new, reported.append)
    assert reported == []
    note = Path(str(refused.value).partition("delete ")[2].partition(",")[0])
    without = note.read_bytes()
    note.unlink()
    database_template.place(new, reported.append)
    assert (len(asked), reported) == (1, []), "begun empty, there is nobody to log out"
    note.write_bytes(without)
    said = "done"
    for _ in range(2):
        database_template.place(new, reported.append)
    assert asked == [{"end_sessions": True}] * 2, "until it is done, and not again"
    assert [("logged out" in line, "db/tasks" in line) for line in reported] == [(True, True)]


ENDED = """
import attune_logins
from django.contrib.sessions.models import Session
from django.db import transaction
with transaction.atomic():
    Session.objects.create(session_key="somebody", session_data="", expire_date="2099-01-01T00:00Z")
    print(json.dumps([attune_logins.end_sessions(), Session.objects.count()]))
    transaction.set_rollback(True)  # others of this Label Studio are logged in
"""


@pytest.mark.services
def test_label_studio_logs_everybody_out(services: Services) -> None:
    assert services.inside.run(ENDED) == ["done", 0]


@pytest.mark.postgresql
@pytest.mark.slow
def test_the_doctor_tells_a_database_that_is_another_workspaces(tmp_path: Path, postgresql: MakeUrl) -> None:
    url = postgresql()
    settings = factories.workspace(tmp_path, label_studio_database_url=url.replace("+psycopg", ""))
    secrets.load(settings.secrets)
    assert task_database.finding(settings).state == "ok", "empty, as before the first start"
    attribute, ana = factories.add_attribute(settings), factories.add_expert(settings)
    factories.add_queue(settings, attribute, ana)
    strange = task_database.finding(settings)
    assert (strange.state, strange.found.endswith("has none of this workspace's 1 queue")) == ("fail", True)
    mark = queues.mark(secrets.load(settings.secrets).webhook_secret, attribute, ana)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE project (description text)"))
    assert task_database.finding(settings).todo.endswith("Do not start Attune before: it would begin new queues there.")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO project VALUES (NULL), ('made before the secrets were lost')"))
    unknown = task_database.finding(settings)
    assert (unknown.state, "attune sync --all" in unknown.todo, "not start" in unknown.todo) == ("warn", True, True)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO project VALUES (:mark)"), {"mark": f"a word {mark}"})
    assert task_database.finding(settings).state == "ok"
    down = task_database.finding(replace(settings, database_url="postgresql+psycopg://me:x@127.0.0.1:1/records"))
    assert (down.state, "records" in down.found, down.todo) == ("skip", True, "")
    stranger = make_url(url).update_query_dict({"options": "-c role=pg_monitor"}).render_as_string(hide_password=False)
    unread = task_database.finding(replace(settings, label_studio_database_url=stranger))
    assert (unread.state, "not let this user read" in unread.found) == ("fail", True)
    engine.dispose()
    away = task_database.finding(replace(settings, label_studio_database_url="postgresql://ls:x@127.0.0.1:1/tasks"))
    assert (away.state, "x@" in away.found) == ("fail", False)
    forgotten = task_database.finding(_placed(settings))
    assert (forgotten.state, forgotten.todo.startswith("Set ATTUNE_LABEL_STUDIO_DATABASE_URL")) == ("fail", True)


def _placed(settings: Settings) -> Settings:
    """A start of before on PostgreSQL, and the setting is not set now."""
    database_template.place(settings, print)
    return replace(settings, label_studio_database_url=None)
