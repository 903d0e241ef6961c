"""The workspace that a command works on: there, or made where that is meant; a mistyped folder is never made.

The rule: `attune up`, `attune demo` and `attune assets add` make a workspace, as each begins one; every other command
needs one, or none at all.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from attune.labeler.settings import Settings, close_workspace
from attune.models.errors import AttuneError, ServiceDown, SettingsError
from attune.models.reasons import reason

if TYPE_CHECKING:
    from sqlalchemy.exc import DatabaseError

RECORDS = "records.sqlite"
MAKERS = (
    ("up",),
    ("demo",),
    ("assets", "add"),
    ("performance", "add"),
    ("features", "import"),
    ("members", "fit"),
)  # the commands that may make a workspace


def open_records(settings: Settings, make: bool) -> None:
    """Bring the records of the workspace up to date; with ``make`` also where there are none yet.

    Raises SettingsError where the folder is no workspace or cannot be made, ServiceDown.
    """
    from sqlalchemy.exc import DatabaseError

    from attune.labeler.records.session import migrate

    if not make and not is_there(settings):
        raise SettingsError(_missing(settings.workspace))
    try:
        migrate(settings)
        close_workspace.top(settings.workspace)
    except DatabaseError as error:
        raise ServiceDown(
            f"The records of {settings.workspace} cannot be read: {_why(error)}. Restore {RECORDS} from a "
            "backup, or name another workspace with --workspace. To test each service: `attune doctor`"
        ) from error
    except OSError as error:
        if isinstance(error, AttuneError):
            raise
        raise SettingsError(
            f"The workspace {settings.workspace} cannot be written: {reason(error)}. Name a folder that you can "
            "write to, with --workspace or ATTUNE_WORKSPACE."
        ) from error


def _why(error: DatabaseError) -> str:
    text = str(error.orig).lower()
    if "locked" in text:
        return "another program is using them"
    if "not a database" in text or "malformed" in text:
        return "the file is damaged or is not a database"
    return "the database refused the request"


def is_there(settings: Settings) -> bool:
    """Whether records were ever made here, or are kept in a database elsewhere."""
    return settings.database_url is not None or (settings.workspace / RECORDS).is_file()


def _missing(folder: Path) -> str:
    what = "has no records" if folder.is_dir() else "does not exist"
    near = _near(folder)
    hint = f" Did you mean --workspace {near}?" if near else ""
    return (
        f"{folder} is not a workspace of Attune: it {what}. This command does not create one.{hint} Name yours "
        f"with --workspace or ATTUNE_WORKSPACE, or create one: `attune up --workspace {_typed(folder)}`"
    )


def _near(folder: Path) -> str | None:
    """A workspace of nearly the same name beside ``folder``, one in it, or the current folder itself.

    None elsewhere: a workspace that was never spoken of may be somebody else's.
    """
    beside = {path.parent.name: path.parent for path in folder.parent.glob(f"*/{RECORDS}")}
    alike = [beside[name] for name in get_close_matches(folder.name, beside, n=1)]
    here = [path for path in (folder / "workspace", Path.cwd()) if (path / RECORDS).is_file()]
    return next((_typed(path) for path in (*alike, *here)), None)


def _typed(folder: Path) -> str:
    """The folder as one would type it: short where it lies below the current one."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) and folder != here else str(folder)
