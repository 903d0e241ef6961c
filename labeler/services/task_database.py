"""Is the database of our own Label Studio there, and is it the one that has this workspace's tasks and answers?"""

from __future__ import annotations

from sqlalchemy import create_engine, inspect, make_url, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from attune.labeler.label_studio import local
from attune.labeler.label_studio.database_template import DATABASE, ELSEWHERE
from attune.labeler.queues import queues
from attune.labeler.records.schema import Queue
from attune.labeler.records.session import reading
from attune.labeler.services.finding import Finding
from attune.labeler.settings import Settings, hidden
from attune.labeler.settings.secrets import load as load_secrets
from attune.models.errors import AttuneError
from attune.models.text import plural

NAME = "task database"
SECONDS = 5
SETTING = "ATTUNE_LABEL_STUDIO_DATABASE_URL"
PROJECTS = "project"  # the table of projects, as Django names it in Label Studio


def finding(settings: Settings) -> Finding:
    """Where Label Studio keeps tasks and answers, whether that answers, and whether a queue of ours is there."""
    if settings.label_studio_url:
        return Finding(NAME, "ok", f"kept by the Label Studio at {settings.label_studio_address}")
    folder = local.data_folder(settings)
    if settings.label_studio_database_url:
        return _on_postgresql(settings, settings.label_studio_database_url)
    if (folder / ELSEWHERE).exists():
        todo = f"Set {SETTING} to the PostgreSQL that this workspace's tasks and answers are in."
        return Finding(NAME, "fail", f"on a PostgreSQL, but {SETTING} is not set", todo)
    made = (folder / DATABASE).exists()
    return Finding(NAME, "ok", "in the workspace" if made else "will be in the workspace")


def _on_postgresql(settings: Settings, url: str) -> Finding:
    place = hidden(url)
    try:
        descriptions = _projects(url)
    except ModuleNotFoundError:
        todo = "To have it checked, install the extra: `pip install 'attune[postgres]'`"
        return Finding(NAME, "skip", f"{place}, not checked", todo)
    except OperationalError:
        todo = f"Start its PostgreSQL, or correct {SETTING}: user, password, host and name."
        return Finding(NAME, "fail", f"{place} does not answer, or refuses this user or database", todo)
    except DBAPIError:
        todo = f"In {SETTING}, name the user that owns Label Studio's tables."
        return Finding(NAME, "fail", f"{place} does not let this user read Label Studio's projects", todo)
    try:
        marks = _marks(settings)
    except (AttuneError, SQLAlchemyError, OSError):  # which the line of the records, or of the secrets, says
        found = f"{place} answers; its queues were not checked: records and secrets must answer first"
        return Finding(NAME, "skip", found)
    if not marks or any(mark in description for mark in marks for description in descriptions):
        return Finding(NAME, "ok", place)
    ours = f"this workspace's {plural(len(marks), 'queue')}"
    right = f"Set {SETTING} to the database that this workspace was made with, or restore that one's dump."
    if descriptions:  # as after the secrets were lost, or where someone edited a description
        todo = (
            "If this is the right one, `attune sync --all` finds its queues by their tasks. If it is another "
            f"workspace's, do not start Attune, as it would make queues there. {right}"
        )
        return Finding(NAME, "warn", f"{place} has projects, but none has the mark of {ours}", todo)
    todo = f"{right} Do not start Attune before: it would begin new queues there."
    return Finding(NAME, "fail", f"{place} has none of {ours}", todo)


def _projects(url: str) -> list[str]:
    """The descriptions of all projects; none where Label Studio has not made its tables yet."""
    asked = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(asked, connect_args={"connect_timeout": SECONDS})
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(PROJECTS):
                return []
            return [row or "" for row in connection.scalars(text(f"SELECT description FROM {PROJECTS}"))]
    finally:
        engine.dispose()


def _marks(settings: Settings) -> list[str]:
    """What the projects of the open queues are known by; none where no records or secrets were made yet."""
    is_made = settings.database_url or (settings.workspace / "records.sqlite").exists()
    if not is_made or not settings.secrets.exists():
        return []
    secret = load_secrets(settings.secrets).webhook_secret
    with reading(settings) as session:
        rows = session.scalars(select(Queue).where(Queue.closed_at.is_(None))).all()
        return [queues.mark(secret, queue.attribute, queue.expert) for queue in rows]
