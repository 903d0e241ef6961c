"""Where our own Label Studio keeps its database: in the workspace, or in a PostgreSQL that a setting names."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler import settings as reader
from attune.labeler.backups import take
from attune.labeler.label_studio import database_template, local
from attune.labeler.settings import Settings
from attune.models.errors import SettingsError
from tests.support import factories


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
    taken = take.take(settings, tmp_path / "backup", lambda _done, _total: None)
    assert any("pg_dump" in line for line in taken.elsewhere)
