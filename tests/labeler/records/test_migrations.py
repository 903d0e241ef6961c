"""An old file of records is brought to today's schema, with what it held."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, select, text

from attune.labeler import settings as reader
from attune.labeler.attributes import revise_attribute, shown_revision
from attune.labeler.label_studio.task_address import Address
from attune.labeler.labelling import page_advice
from attune.labeler.people import end_access
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import (
    AnnotationEvent,
    Asset,
    Attribute,
    Base,
    Job,
    Queue,
    Run,
    Task,
    Tombstone,
    User,
)
from attune.labeler.records.session import configuration, engine, migrate, newest_schema, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.workers.rounds import apply_order
from tests.support import databases, factories
from tests.workers.rounds.test_apply_order import showing
from tests.workers.rounds.test_queue_plan import ask

FIRST = "0001"


def difference_of(connection: Connection) -> list[Any]:
    """What differs between the tables of a database and those that the code names."""
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


def test_the_first_file_ever_is_brought_to_todays_schema_and_keeps_its_rows(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    command.upgrade(configuration(settings.records_url), FIRST)
    opened = create_engine(settings.records_url)
    with opened.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (email, role, password_hash, session_salt, created_at) "
                "VALUES ('olga@example.org', 'owner', 'scrypt:x', 'salt', '2026-01-01 00:00:00')"
            )
        )
    migrate(settings)
    migrate(settings)
    with opened.connect() as connection:
        assert connection.execute(text("SELECT email, role FROM users")).all() == [("olga@example.org", "owner")]
        difference = difference_of(connection)
    opened.dispose()
    assert difference == []


def _stuck(settings: Settings) -> None:
    """A workspace of schema 4 as the crash over an id used twice left it: a retired audit has the id of a new task."""
    command.upgrade(configuration(settings.records_url), "0004")
    at = "'2026-03-01 12:00:00'"
    rows = [
        "INSERT INTO attributes (id, name, question, classes, definition, in_scope, out_of_scope, prompts, settings, "
        f"revision, created_at, answers_counter, learned_counter, lease_token) VALUES (1, 'romance', '?', "
        f"'[\"yes\", \"no\"]', '', '[]', '[]', '{{}}', '{{}}', 1, {at}, 0, -1, 0)",
        f"INSERT INTO experts (id, email, name, label_studio_user, every_attribute, added_at) "
        f"VALUES (1, 'ana@x.org', 'ana', 11, 1, {at})",
        *(
            f"INSERT INTO assets (id, asset_id, title_id, uri, digest, width, height, columns, added_at) "
            f"VALUES ({n}, 'a{n}', 't{n}', '', '{n}', 1, 1, '{{}}', {at})"
            for n in (1, 2)
        ),
        f"INSERT INTO queues (id, attribute_id, expert_id, project, view, model_version, order_run, created_at) "
        f"VALUES (1, 1, 1, 7, 1, '', 0, {at})",
        f"INSERT INTO tasks (id, queue_id, asset_pk, label_studio_task, purpose, utility, reason, inclusion, run, "
        f"position, state, created_at) VALUES (1, 1, 1, 50, 'audit', 0.5, 'r', 0.25, 1, 0, 'retired', {at})",
        f"INSERT INTO tombstones (label_studio_id, deleted_at) VALUES (5, {at})",
    ]
    opened = create_engine(settings.records_url)
    with opened.begin() as connection:
        for row in rows:
            connection.execute(text(row))
    opened.dispose()


def test_a_workspace_stuck_over_an_id_used_twice_goes_on(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    _stuck(settings)
    migrate(settings)
    with reading(settings) as session:
        old = session.get_one(Task, 1)
        assert (old.label_studio_task, len(old.key)) == (50, 32)
        queue = session.get_one(Queue, 1)
    with writing(settings) as session:
        asset = session.get_one(Asset, 2)
        question = ask(0, "likely")
        task = apply_order._keep(session, showing(asset), queue, question, Address(50, "k" * 32, "a2"), 2, None)
        assert (task.label_studio_task, task.key) == (50, "k" * 32)
    with reading(settings) as session:
        assert session.get_one(Task, 1).label_studio_task is None
        assert session.scalars(select(Tombstone)).all() == []
    engine(settings.records_url).dispose()


def test_a_migration_killed_in_the_middle_is_as_if_never_begun(tmp_path: Path) -> None:
    """On SQLite a change of a table was there at once: the next start met half of it, and none went on."""
    settings = reader.build({}, workspace=tmp_path)
    _stuck(settings)
    code = (
        "import os, alembic.op as op\n"
        "op.create_table = lambda *_, **__: os._exit(9)\n"
        "from attune.labeler import settings as reader\n"
        "from attune.labeler.records.session import migrate\n"
        f"migrate(reader.build({{}}, workspace={str(tmp_path)!r}))"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 9
    migrate(settings)
    with reading(settings) as session:
        assert len(session.get_one(Task, 1).key) == 32
    engine(settings.records_url).dispose()


def test_the_newest_schema_is_known_by_the_names_of_the_migrations() -> None:
    scripts = ScriptDirectory.from_config(configuration("sqlite://"))
    assert newest_schema() == scripts.get_current_head()


def test_every_step_leads_back(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    _stuck(settings)
    migrate(settings)
    with writing(settings) as session:
        session.get_one(Task, 1).label_studio_task = None  # gone from Label Studio
    engine(settings.records_url).dispose()
    command.downgrade(configuration(settings.records_url), FIRST)
    migrate(settings)
    with reading(settings) as session:
        assert session.scalars(select(Task.purpose)).all() == ["audit"]
    opened = create_engine(settings.records_url)
    with opened.connect() as connection:
        assert difference_of(connection) == []
    opened.dispose()
    engine(settings.records_url).dispose()


def test_images_of_an_older_file_have_the_first_reading(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    command.upgrade(configuration(settings.records_url), "0004")
    opened = create_engine(settings.records_url)
    row = "(asset_id, title_id, uri, digest, width, height, columns, added_at)"
    with opened.begin() as connection:
        connection.execute(text(f"INSERT INTO assets {row} VALUES ('a', 't', 'u', 'd', 3, 4, '{{}}', '2026-01-01')"))
    migrate(settings)
    with opened.connect() as connection:
        kept = connection.execute(text("SELECT asset_id, width, height, reading, moved_at FROM assets")).all()
    opened.dispose()
    assert kept == [("a", 3, 4, 1, None)]


def test_label_studio_is_told_again_of_those_who_were_out_before_sessions_could_be_ended(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    command.upgrade(configuration(settings.records_url), "0006")
    at = "'2026-03-01 12:00:00'"
    opened = create_engine(settings.records_url)
    with opened.begin() as connection:
        for email, removed in (("here@x.org", "NULL"), ("left@x.org", at)):
            connection.execute(
                text(
                    "INSERT INTO experts (email, name, every_attribute, added_at, removed_at) "
                    f"VALUES ('{email}', 'x', 1, {at}, {removed})"
                )
            )
        for email, disabled, password in (
            ("here@x.org", "NULL", "scrypt:x"),
            ("left@x.org", at, "scrypt:x"),
            ("shut@x.org", at, "scrypt:x"),
            ("gone@x.org", at, ""),
        ):
            connection.execute(
                text(
                    "INSERT INTO users (email, role, password_hash, session_salt, created_at, disabled_at) "
                    f"VALUES ('{email}', 'owner', '{password}', 'salt', {at}, {disabled})"
                )
            )
    opened.dispose()
    migrate(settings)
    with reading(settings) as session:
        jobs = session.scalars(select(Job)).all()
        told = sorted(end_access.outcome(job).email for job in jobs)
        users = session.scalars(select(User.email)).all()
    assert {(job.kind, job.state) for job in jobs} == {("leave", "queued")}
    assert told == ["left@x.org", "shut@x.org"]
    assert len(users) == 4
    engine(settings.records_url).dispose()
    command.downgrade(configuration(settings.records_url), "0006")
    with opened.connect() as connection:
        salts = connection.execute(text("SELECT session_salt FROM users")).scalars().all()
    opened.dispose()
    assert len({salt for salt in salts if len(salt) == 16}) == 4, "each its own, so that no cookie fits"


LARGEST_SEED = 2**32 - 1


@pytest.mark.parametrize("kind", databases.BOTH)
def test_runs_of_an_older_database_stay_and_newer_ones_keep_any_seed(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgresql")() if kind == "postgresql" else None
    settings = reader.build({}, workspace=tmp_path, database_url=url)
    command.upgrade(configuration(settings.records_url), "0007")
    at = "'2026-03-01 12:00:00+00:00'"
    opened = create_engine(settings.records_url)
    attribute = (
        "INSERT INTO attributes (id, name, question, classes, definition, in_scope, out_of_scope, prompts, settings, "
        "revision, created_at, answers_counter, learned_counter, lease_token) VALUES (1, 'romance', '?', "
        f"'[]', '', '[]', '[]', '{{}}', '{{}}', 1, {at}, 0, -1, 0)"
    )
    run = (
        "INSERT INTO runs (attribute_id, number, revision, token, encoder_digest, answers_counter, answers, labels, "
        "seed, data_digest, code_version, metrics, advice, probe, started_at, finished_at) VALUES (1, :number, 1, 1, "
        f"'e', 9, 9, '{{}}', :seed, 'd', 'c', '{{}}', '{{}}', :probe, {at}, {at})"
    )
    with opened.begin() as connection:
        connection.execute(text(attribute))
        connection.execute(text(run), {"number": 1, "seed": 7, "probe": b"first"})
    migrate(settings)
    with opened.begin() as connection:
        connection.execute(text(run), {"number": 2, "seed": LARGEST_SEED, "probe": b"second"})
    command.downgrade(configuration(settings.records_url), "0007")
    migrate(settings)
    with opened.connect() as connection:
        difference = difference_of(connection)
    opened.dispose()
    assert difference == []
    with reading(settings) as session:
        kept = session.execute(select(Run.seed, Run.probe).order_by(Run.number)).all()
    engine(settings.records_url).dispose()
    assert [tuple(row) for row in kept] == [(7, b"first"), (LARGEST_SEED, b"second")]


def back_and_forth(settings: Settings, revision: str, column: str) -> None:
    """Take the records to ``revision``, where queues have no ``column``, and forward to a schema like a new one's."""
    engine(settings.records_url).dispose()
    command.downgrade(configuration(settings.records_url), revision)
    opened = create_engine(settings.records_url)
    with opened.connect() as connection:
        assert column not in {one["name"] for one in inspect(connection).get_columns("queues")}
    migrate(settings)
    with opened.connect() as connection:
        difference = difference_of(connection)
    opened.dispose()
    assert difference == []


@pytest.mark.parametrize("kind", databases.BOTH)
def test_queues_of_an_older_database_show_the_question_of_today_until_the_next_one(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgresql")(migrated=True) if kind == "postgresql" else None
    settings = reader.build({}, workspace=tmp_path, database_url=url, redis_url="unix:///nowhere.sock")
    factories.newest(settings)
    queue = factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))
    back_and_forth(settings, "0009", "shown")
    with reading(settings) as session:
        assert session.get_one(Queue, queue.id).shown == []
        wanted = revise_attribute.definition_of(session.scalars(select(Attribute)).one())
    revise_attribute.revise(settings, replace(wanted, question="Else?"), "Because.")
    with reading(settings) as session:
        held = session.get_one(Queue, queue.id)
        assert [revision for revision, _ in held.shown] == [1]
        assert shown_revision.at(held, now()) == 1
    engine(settings.records_url).dispose()


@pytest.mark.parametrize("kind", databases.BOTH)
def test_experts_of_an_older_database_answer_as_attune_suggests_until_they_choose(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgresql")(migrated=True) if kind == "postgresql" else None
    settings = reader.build({}, workspace=tmp_path, database_url=url, redis_url="unix:///nowhere.sock")
    factories.newest(settings)
    romance, ana = factories.add_attribute(settings), factories.add_expert(settings)
    queue = factories.add_queue(settings, romance, ana)
    viewer = Viewer("expert", ana.email, ana.id)
    page_advice.choose(settings, viewer, "romance", page_advice.PAGE)
    back_and_forth(settings, "0013", "way")
    with reading(settings) as session:
        assert session.get_one(Queue, queue.id).way == ""
    page_advice.choose(settings, viewer, "romance", page_advice.PAGE)
    assert page_advice.of_viewer(settings, viewer, "romance").name == page_advice.PAGE
    engine(settings.records_url).dispose()


@pytest.mark.parametrize("kind", databases.BOTH)
def test_events_of_an_older_database_stay_and_newer_ones_name_who_imported(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgresql")(migrated=True) if kind == "postgresql" else None
    settings = reader.build({}, workspace=tmp_path, database_url=url)
    factories.newest(settings)
    (asset,) = factories.add_assets(settings, 1)
    queue = factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))
    answer = factories.add_answer(settings, queue, asset, "romance")
    engine(settings.records_url).dispose()
    command.downgrade(configuration(settings.records_url), "0008")
    opened = create_engine(settings.records_url)
    old = (
        "INSERT INTO annotation_events (annotation_id, kind, value, updated_at, via, received_at) "
        "SELECT annotation_id, 'changed', value, updated_at, 'import', received_at FROM annotation_events"
    )
    with opened.begin() as connection:
        connection.execute(text(old))
    migrate(settings)
    with opened.begin() as connection:
        connection.execute(text(old.replace("'changed'", "'deleted'") + " WHERE kind = 'created'"))  # an older release
        difference = difference_of(connection)
    opened.dispose()
    assert difference == []
    with writing(settings) as session:
        events = session.scalars(select(AnnotationEvent).order_by(AnnotationEvent.id)).all()
        assert [(one.annotation_id, one.kind, one.who) for one in events] == [
            (answer.id, kind, "") for kind in ("created", "changed", "deleted")
        ]
        events[0].who = "owner@example.org"
    engine(settings.records_url).dispose()


def test_an_older_release_reads_the_seconds_of_all_looks_of_an_answer(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    factories.newest(settings)
    (asset,) = factories.add_assets(settings, 1)
    queue = factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))
    factories.add_answer(settings, queue, asset, "romance", lead_seconds=2.0, total_seconds=9.0)
    engine(settings.records_url).dispose()
    command.downgrade(configuration(settings.records_url), "0016")
    opened = create_engine(settings.records_url)
    with opened.connect() as connection:
        assert connection.execute(text("SELECT lead_seconds FROM annotations")).scalars().all() == [9.0]
    migrate(settings)
    with opened.connect() as connection:
        assert difference_of(connection) == []
    opened.dispose()
    engine(settings.records_url).dispose()
