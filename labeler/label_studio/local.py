"""Our own Label Studio, started on this machine: its environment, its command, and its administrator put right."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import urlsplit

import requests

from attune.labeler.jobs import failures
from attune.labeler.label_studio.client import LabelStudio, read
from attune.labeler.label_studio.door import SHORTEST_PASSWORD
from attune.labeler.label_studio.environment_folder import executable, folder
from attune.labeler.label_studio.logins import LIMITS, submit
from attune.labeler.settings import Settings, hidden, secrets
from attune.models.errors import LabelStudioRefused, ServiceDown, SettingsError
from attune.models.files.atomic import write_json
from attune.models.reasons import reason

HOLD_SECONDS = 600  # an image that an expert left open goes back to the queue after this
CHANGE_SECONDS = 120
DJANGO_FOLDER = Path(__file__).with_name("django")  # modules for Label Studio's own environment, never imported here
LOGINS = DJANGO_FOLDER / "attune_logins.py"


def data_folder(settings: Settings) -> Path:
    """Where our own Label Studio keeps its database."""
    return settings.workspace / "label-studio"


def command(settings: Settings) -> list[str]:
    """The command that starts it."""
    address = ["--internal-host", settings.host, "--port", str(settings.label_studio_port)]
    return [str(executable(settings)), "start", "--no-browser", *address]


# What a program needs to find its files and its language. Nothing that names a cloud, a proxy, a database or a key:
# Label Studio would use it in whatever project asks (boto3 signs with AWS_*, Google's and Azure's libraries likewise),
# and a LABEL_STUDIO_* or POSTGRE_* of the operator's, meant for another, would change what ours is.
KEPT = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "OMP_NUM_THREADS"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),  # a webhook whose certificate a studio signed itself
)

OF_LIBPQ = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


def inherited() -> dict[str, str]:
    """The variables of this process that Label Studio may see: an allow-list."""
    return {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("LC_")}


def environment(settings: Settings) -> dict[str, str]:
    """The variables it starts with: few of the operator's own, and what we set; it calls no one but our webhook."""
    variables = inherited()
    stored_secrets = secrets.load(settings.secrets)
    variables |= {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data_folder(settings)),
        "LABEL_STUDIO_USERNAME": settings.label_studio_email,
        "LABEL_STUDIO_PASSWORD": stored_secrets.label_studio_password,
        "LABEL_STUDIO_USER_TOKEN": stored_secrets.label_studio_token,
        # The one that it makes itself begins with "$" in 1 of 50 workspaces. Read again from its file that is nothing:
        # each start made another one, and everybody's session ended (django-environ, "proxied values").
        "SECRET_KEY": stored_secrets.label_studio_key,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",  # has effect on the first start only: see `renew_access`
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "ATTUNE_WEBHOOK_ADDRESS": settings.webhook_address,  # the one address that it may call
        "ATTUNE_CONSOLE_ADDRESS": settings.web_address,  # where it sends people who have no business on its pages
        "TASK_LOCK_TTL": str(HOLD_SECONDS),
        # Otherwise storing an order counts every task of the project again.
        "fflag_fix_back_4620_memory_efficient_predictions_import_08012025_short": "true",
        "COLLECT_ANALYTICS": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",  # or every process asks the public package index for its version
        "LOG_LEVEL": "DEBUG" if settings.log_level.upper() == "DEBUG" else "WARNING",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(DJANGO_FOLDER),
        "DJANGO_SETTINGS_MODULE": "attune_label_studio",
    }
    if settings.label_studio_database_url:
        variables |= _database(settings.label_studio_database_url)
    if settings.label_studio_public_url:
        variables["LABEL_STUDIO_HOST"] = settings.label_studio_public_url
        # Behind a proxy with TLS the browser names an origin that Label Studio cannot see: without this no one logs in.
        place = urlsplit(settings.label_studio_public_url)
        variables["CSRF_TRUSTED_ORIGINS"] = f"{place.scheme}://{place.netloc}"
    return variables


def _database(url: str) -> dict[str, str]:
    """The variables by which Label Studio and libpq below it find a PostgreSQL; a socket's folder is its host.

    Raises SettingsError without a database's name, and for options that neither reads: left out, nobody would know.
    """
    from sqlalchemy import make_url  # a command that asks for its settings alone should not wait for it

    place = make_url(url)
    if not place.database or (unknown := sorted(set(place.query) - {"host", *OF_LIBPQ})):
        what = "names no database" if not place.database else f"has options Label Studio does not know: {unknown}"
        raise SettingsError(
            f"ATTUNE_LABEL_STUDIO_DATABASE_URL {what}. Expected postgresql://user:password@host:port/name, and after a "
            f"question mark at most host, {', '.join(OF_LIBPQ)}."
        )
    return {
        "DJANGO_DB": "default",
        "POSTGRE_USER": place.username or "",
        "POSTGRE_PASSWORD": place.password or "",
        "POSTGRE_NAME": place.database,
        "POSTGRE_HOST": str(place.query.get("host") or place.host or ""),
        "POSTGRE_PORT": str(place.port or 5432),
        **{variable: str(place.query[name]) for name, variable in OF_LIBPQ.items() if name in place.query},
    }


def renew_access(settings: Settings) -> None:
    """Make the workspace's token work on our running Label Studio; nothing is done where it works already.

    A data folder from before may forbid legacy tokens, or know another password or token than the workspace's secrets:
    the administrator logs in, with the password set again where it must be, and allows and fetches the token. One who
    was made by hand may lack the rights that the guard asks for; the script of logins gives them.
    Raises LabelStudioRefused where even that does not help.
    """
    try:
        with LabelStudio.connect(settings) as ls:
            ls.me()
    except LabelStudioRefused as error:
        if error.status not in {401, 403}:
            raise
        if error.status == 403:
            email = settings.label_studio_email
            reset_password(settings, email, secrets.load(settings.secrets).label_studio_password)
        _renew_token(settings)
        with LabelStudio.connect(settings) as ls:
            ls.me()


def _renew_token(settings: Settings) -> None:
    stored_secrets = secrets.load(settings.secrets)
    with requests.Session() as session:
        if not _log_in(session, settings, stored_secrets.label_studio_password):
            reset_password(settings, settings.label_studio_email, stored_secrets.label_studio_password)
            if not _log_in(session, settings, stored_secrets.label_studio_password):
                raise LabelStudioRefused(
                    f"The administrator {settings.label_studio_email} cannot log in to Attune's Label Studio. "
                    f"Its data in {data_folder(settings)} may belong to another ATTUNE_LABEL_STUDIO_EMAIL. Set "
                    "that one.",
                    401,
                )
        address = settings.label_studio_address
        allowed = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True}
        read(session.post(f"{address}/api/jwt/settings", json=allowed, timeout=LIMITS))
        token = read(session.get(f"{address}/api/current-user/token", timeout=LIMITS))["token"]
    if token != stored_secrets.label_studio_token:
        write_json(settings.secrets, asdict(replace(stored_secrets, label_studio_token=token)), mode=0o600)


def _log_in(session: requests.Session, settings: Settings, password: str) -> bool:
    page = f"{settings.label_studio_address}/user/login/"
    return submit(session, page, {"email": settings.label_studio_email, "password": password}).status_code == 302


def reset_password(settings: Settings, email: str, password: str) -> None:
    """Give ``email`` a new password in our own Label Studio, running or not, and open a login that was shut.

    Raises SettingsError for one that runs elsewhere, where only its own pages or operator can do it, and for a password
    under 8 characters; ServiceDown where that fails, as for an address that it does not know.
    """
    if settings.label_studio_url:
        raise SettingsError(
            f"Label Studio at {settings.label_studio_url} was not started by Attune, so Attune cannot change "
            f"passwords there. On its computer, run: `label-studio reset_password --username {email}`"
        )
    if len(password) < SHORTEST_PASSWORD:
        raise SettingsError(
            f"The new password of {email} has {len(password)} characters. Expected at least {SHORTEST_PASSWORD}."
        )
    output = _change(settings, {"email": email, "password": password})
    if output != "done":
        raise ServiceDown(
            f"The password of {email} was not changed: {output}. Check that {email} is a user of Label Studio."
        )


def end_sessions(settings: Settings, note: Path) -> None:
    """Log everybody out of our own Label Studio, which does not run: its database was restored, as ``note`` says.

    Raises ServiceDown where the database does not answer or has nothing of Label Studio's yet.
    """
    output = _change(settings, {"end_sessions": True})
    if output != "done":
        place = hidden(settings.label_studio_database_url or "")
        raise ServiceDown(
            f"The logins of before the restore were not ended in Label Studio's database at {place}: {output}. Check "
            "that its server runs, restore its dump into it (`pg_restore`), then start again. If there is no dump, as "
            f"Label Studio had never started before the backup, delete {note}, then start again."
        )


def _change(settings: Settings, change: Mapping[str, str | bool]) -> str:
    """Run the script of logins in Label Studio's environment; its word, "done" where all is well.

    Passwords go in by a pipe: arguments could be read by everyone on the machine.
    """
    scripts = sorted(folder(settings).glob("lib/python3.*/site-packages/label_studio"))
    if not scripts:
        return f"Label Studio is not installed in {folder(settings)}"
    variables = environment(settings)
    variables["PYTHONPATH"] = os.pathsep.join([variables["PYTHONPATH"], str(scripts[0])])
    command = [str(folder(settings) / "bin" / "python"), str(LOGINS)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(change),
            env=variables,
            capture_output=True,
            text=True,
            timeout=CHANGE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = reason(error) if isinstance(error, OSError) else f"it took more than {CHANGE_SECONDS} seconds"
        return f"the program in Label Studio's environment failed: {why}"
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    last_line = lines[-1] if lines else ""
    return (
        f"it ended with status {done.returncode}" if not last_line or failures.is_program_text(last_line) else last_line
    )
