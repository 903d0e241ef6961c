"""The databases of docker-compose.yml, made by its own script on a real PostgreSQL: no role enters the other's."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
import yaml
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from attune.labeler import settings as reader
from attune.labeler.label_studio import environment_folder, install, local
from attune.labeler.records.session import engine, migrate
from attune.labeler.services import free_ports
from attune.models.files.atomic import digest_bytes, write_bytes
from tests.support import databases

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docker" / "databases.sql"
PASSWORDS = {"postgres": "the superuser's", "attune": 'of "records"', "label_studio": "it's Label Studio's; --"}
BOTH = {"attune": "label_studio", "label_studio": "attune"}  # whose database the other one is
MOST_CONNECTIONS, RESERVED = 100, 3  # as PostgreSQL ships; the last ones are its superuser's
OF_LABEL_STUDIO = 40
pytestmark = [pytest.mark.postgresql, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """The folder of a server's socket, after the script was run as the image runs it. Everybody needs a password."""
    programs, psql = databases.programs(), shutil.which("psql")
    if programs is None or psql is None:
        if os.environ.get("ATTUNE_REQUIRE_POSTGRESQL") == "1":
            pytest.fail(databases.MISSING)
        pytest.skip(databases.MISSING)
    who = databases._who()
    folder = Path(tempfile.mkdtemp(prefix="attune-pg-"))
    secret = folder / "secret"
    secret.write_text(PASSWORDS["postgres"])
    for path in (folder, secret):
        shutil.chown(path, user=who) if who else None
    data = str(folder / "data")
    options = ("-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync")
    databases._run(who, str(programs / "initdb"), "-D", data, *options)
    control = (str(programs / "pg_ctl"), "-D", data, "-l", str(folder / "log"), "-w")
    databases._run(who, *control, "-o", f"-c listen_addresses='' -k {folder} -c fsync=off", "start")
    given = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["postgres"]["environment"]
    told = {"PGPASSWORD": PASSWORDS["postgres"]} | dict(
        zip(given, (PASSWORDS["postgres"], PASSWORDS["attune"], PASSWORDS["label_studio"]), strict=True)
    )
    command = [psql, "--no-psqlrc", "-h", str(folder), "-U", "postgres", "-d", "postgres", "-f", str(SCRIPT)]
    try:
        made = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        yield folder
    finally:
        databases._run(who, *control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def address(cluster: Path, role: str, database: str, password: str | None = None) -> URL:
    """The address of ``database`` as ``role`` with its password, or another."""
    given = PASSWORDS[role] if password is None else password
    return URL.create("postgresql+psycopg", role, given, database=database, query={"host": str(cluster)})


def asked(where: URL, question: str) -> list[tuple[object, ...]]:
    """The rows of one question."""
    made = create_engine(where)
    try:
        with made.connect() as connection:
            return [tuple(row) for row in connection.execute(text(question))]
    finally:
        made.dispose()


def test_the_script_is_the_one_that_compose_runs_and_the_roles_are_those_it_names() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert "./docker/databases.sql:/docker-entrypoint-initdb.d/databases.sql:ro" in services["postgres"]["volumes"]
    theirs = services["label-studio"]["environment"]
    assert (theirs["POSTGRE_USER"], theirs["POSTGRE_NAME"]) == ("label_studio", "label_studio")
    ours = services["web"]["environment"]["ATTUNE_DATABASE_URL"]
    assert "//attune:${RECORDS_PASSWORD" in ours
    assert ours.endswith("/attune")


@pytest.mark.parametrize("role", BOTH)
def test_a_role_owns_its_database_and_nothing_of_the_server(cluster: Path, role: str) -> None:
    own = address(cluster, role, role)
    powers = asked(own, "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles "
                        "WHERE rolname = current_user")  # fmt: skip
    assert powers == [(False, False, False, False, False)]
    assert asked(own, "SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole") == [(0,)]
    assert asked(own, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == [(role,)]
    with pytest.raises(OperationalError, match="password authentication failed"):
        asked(address(cluster, role, role, "a guess"), "SELECT 1")


@pytest.mark.parametrize("role", BOTH)
def test_a_role_enters_no_database_but_its_own(cluster: Path, role: str) -> None:
    for database in (BOTH[role], "postgres", "template1"):
        with pytest.raises(OperationalError, match="permission denied for database"):
            asked(address(cluster, role, database), "SELECT 1")


def test_label_studio_never_takes_the_connections_that_the_records_need(cluster: Path) -> None:
    server = create_engine(address(cluster, "label_studio", "label_studio"), poolclass=NullPool)
    with ExitStack() as held:
        for _ in range(OF_LABEL_STUDIO):
            held.enter_context(server.connect())
        with pytest.raises(OperationalError, match="too many connections for role"):
            held.enter_context(server.connect())
        ours = create_engine(address(cluster, "attune", "attune"), poolclass=NullPool)
        for _ in range(MOST_CONNECTIONS - OF_LABEL_STUDIO - RESERVED):
            held.enter_context(ours.connect())


def test_label_studio_works_on_fewer_requests_at_once_than_it_has_connections() -> None:
    intake = (local.DJANGO_FOLDER / "attune_intake.py").read_text()
    found = re.search(r"^AT_ONCE = (\d+)", intake, re.MULTILINE)
    assert found is not None
    assert int(found[1]) < OF_LABEL_STUDIO


def test_the_records_are_made_and_changed_as_the_role_that_owns_them(cluster: Path, tmp_path: Path) -> None:
    where = address(cluster, "attune", "attune")
    settings = reader.build({}, workspace=tmp_path, database_url=where.render_as_string(hide_password=False))
    migrate(settings)
    engine(settings.records_url).dispose()
    assert asked(where, "SELECT count(*) FROM assets") == [(0,)]


@pytest.mark.services
def test_label_studio_runs_as_a_role_of_its_own_with_the_variables_of_compose(cluster: Path, tmp_path: Path) -> None:
    settings = reader.build(workspace=tmp_path)  # ATTUNE_LABEL_STUDIO_ENV of the machine holds here as well
    port = free_ports(settings).label_studio_port
    given = told_by_compose(cluster, tmp_path)
    own, kept = address(cluster, "label_studio", "label_studio"), tables_of_before()
    if not (empty := not kept.exists()):
        tool(cluster, "pg_restore", "--exit-on-error", "--no-owner", "--single-transaction", kept)
    command = [str(install.ensure(settings)), "start", "--no-browser", "--internal-host", "127.0.0.1"]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen([*command, "--port", str(port)], env=given, stdout=log, stderr=log)
    where = f"http://127.0.0.1:{port}"
    try:
        for _ in range(6000 if empty else 1200):
            assert running.poll() is None, (tmp_path / "log").read_text()
            with suppress(requests.RequestException):
                if requests.get(f"{where}/health/", timeout=5).ok:
                    break
            time.sleep(0.1)
        asking = {"Authorization": f"Token {'f' * 40}"}
        assert requests.get(f"{where}/api/projects", headers=asking, timeout=30).json()["count"] == 0
        owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        assert not empty or asked(own, owners) == [("label_studio",)]
        assert asked(own, "SELECT email FROM htx_user") == [(given["LABEL_STUDIO_USERNAME"],)], "it wrote there"
        assert held_up(port, asking, cluster) < OF_LABEL_STUDIO
        # Behind the door with TLS the browser says https, and Label Studio itself is asked in plain HTTP.
        assert logged_in(where, "https://label.example.org") == 302
        assert logged_in(where, "https://elsewhere.example.org") == 403
    finally:
        running.terminate()
        running.wait(30)
    if empty:
        keep_tables(cluster, kept)


def told_by_compose(cluster: Path, folder: Path) -> dict[str, str]:
    """Label Studio's variables: compose's, and in place of what a person sets there, the test's."""
    said = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["label-studio"]["environment"]
    given = {name: value for name, value in said.items() if "${" not in value}
    return given | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(local.DJANGO_FOLDER),
        "POSTGRE_HOST": str(cluster),
        "POSTGRE_PASSWORD": PASSWORDS["label_studio"],
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_PASSWORD": "an administrator's",
        "LABEL_STUDIO_USER_TOKEN": "f" * 40,
        "ATTUNE_CONSOLE_ADDRESS": "https://attune.example.org",
        "CSRF_TRUSTED_ORIGINS": "https://label.example.org",
    }


def tables_of_before() -> Path:
    """Where Label Studio's tables are kept that a start on an empty database made: 32 s of the processor, 6 with them.

    What they hold is what that start was allowed by the script of the databases and by this release of the server, so
    another of either is met on an empty database again; `.ci/run` forgets them, so that each run of it is, too.
    """
    programs = databases.programs()
    assert programs
    server = subprocess.run([programs / "postgres", "--version"], stdout=subprocess.PIPE, check=True).stdout
    digest = digest_bytes(environment_folder.LOCK.read_bytes() + SCRIPT.read_bytes() + server)
    return environment_folder.cache() / f"label-studio-tables-{digest[:12]}.dump"


def tool(cluster: Path, name: str, *options: str | Path) -> bytes:
    """What a program of PostgreSQL writes that works on Label Studio's database as its role."""
    programs = databases.programs()
    assert programs
    command = [programs / name, "-h", cluster, "-U", "label_studio", "-d", "label_studio", *options]
    as_role = os.environ | {"PGPASSWORD": PASSWORDS["label_studio"]}
    return subprocess.run(command, env=as_role, stdout=subprocess.PIPE, check=True).stdout


def keep_tables(cluster: Path, kept: Path) -> None:
    """Keep the tables without what the test wrote: its user, and all that hangs on users."""
    with create_engine(address(cluster, "label_studio", "label_studio"), poolclass=NullPool).begin() as connection:
        connection.execute(text("TRUNCATE htx_user, django_session CASCADE"))
    write_bytes(kept, tool(cluster, "pg_dump", "-Fc"))


def held_up(port: int, asking: dict[str, str], cluster: Path) -> int:
    """How many connections Label Studio holds while more people than there are connections send half a request."""
    cookie = b"a" * 32  # which Label Studio looks up
    half = b"POST /user/login/ HTTP/1.1\r\nHost: x\r\nCookie: sessionid=" + cookie + b"\r\nContent-Length: 9\r\n\r\n{"
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(MOST_CONNECTIONS + 10)]
    try:
        for one in held:
            one.sendall(half)
        assert requests.get(f"http://127.0.0.1:{port}/api/projects", headers=asking, timeout=60).status_code == 200
        busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'label_studio'"
        ((count,),) = asked(address(cluster, "postgres", "postgres"), busy)
        assert isinstance(count, int)
        return count
    finally:
        for one in held:
            one.close()


def logged_in(where: str, origin: str) -> int:
    """The status of the login form, sent from a page of ``origin``."""
    with requests.Session() as browser:
        browser.get(f"{where}/user/login/", timeout=30)
        form = {"email": "attune@localhost.localdomain", "password": "an administrator's"}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        sent = browser.post(f"{where}/user/login/", form, headers={"Origin": origin}, allow_redirects=False, timeout=30)
        return sent.status_code
