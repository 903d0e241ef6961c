"""Pulling a probe over HTTP, and the manifest's requests a second beside MLflow's lookup of ``models:/name@alias``.

    python -m benchmarks.pull --mlflow-env ENV --json OUT

ENV is an environment of MLflow's own, which needs older versions of what Attune uses, made outside the repository:
``python -m venv ENV && ENV/bin/pip install mlflow``. Without it the comparison is left out.

The console runs as ``attune up`` runs it (one process), MLflow's server with its own defaults on SQLite. Both are asked
over loopback by the same client with connections that stay open, in turns, and share the machine with it. A request of
ours carries a bearer token and answers with the whole manifest; MLflow's asks for no token and answers with the
version's entry, which is what its client asks first for ``models:/name@alias``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np

from attune.labeler import settings as reader
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.people import tokens
from attune.labeler.records.schema import Encoder, Run
from attune.labeler.records.session import engine, migrate, writing
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import probe_bytes
from attune.models.catalog.pull_probe import pull
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.files.atomic import write_json
from benchmarks.machine import machine
from benchmarks.measured import Figure, quantile, ratio, shown

NAME, DIM, CLASSES = "romance", 512, ("romance", "friendship", "neither")
SECONDS = 120.0  # that a server may take to start
MLFLOW = """
import sys
from mlflow.tracking import MlflowClient
client = MlflowClient(sys.argv[1])
client.create_registered_model("romance")
made = client.create_model_version("romance", source="s3://bucket/romance")
client.set_registered_model_alias("romance", "champion", made.version)
assert client.get_model_version_by_alias("romance", "champion").version == made.version
"""


# -- the two servers -----------------------------------------------------------------------------------------------
def fill(folder: Path) -> Settings:
    """A workspace with one champion of three classes over 512 dimensions."""
    settings = reader.build({}, workspace=folder, web_port=free_port(), log_level="WARNING")
    migrate(settings)
    fingerprint = Fingerprint("open_clip", "bench", "ab" * 32, DIM)
    rng = np.random.default_rng(0)
    metric = {"name": "average_precision", "value": 0.8, "lo": 0.7, "hi": 0.9, "n": 100, "method": "title bootstrap"}
    with writing(settings) as session:
        session.add(Encoder(digest=fingerprint.digest, fingerprint=fingerprint.to_dict(), active=True, added_at=now()))
        definition = Definition(NAME, "Romance, friendship, or neither?", CLASSES, "What draws two people together.")
        attribute = attributes.create(session, definition, settings)
        session.flush()
        session.add(Run(attribute_id=attribute.id, **_run(fingerprint, rng, metric)))
    promote(settings, Move(NAME, "latest", "to be measured", "bench"))
    engine(settings.records_url).dispose()
    return settings


def _run(fingerprint: Fingerprint, rng: np.random.Generator, metric: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": 1,
        "revision": 1,
        "token": 1,
        "encoder_digest": fingerprint.digest,
        "answers_counter": 400,
        "answers": 400,
        "labels": {"classes": dict.fromkeys(CLASSES, 130), "experts": {}},
        "seed": 0,
        "data_digest": "d" * 64,
        "code_version": version("attune"),
        "metrics": {"average_precision": metric},
        "probe": probe_bytes(rng.normal(size=(3, DIM)), np.zeros(3), np.tile([1.0, 0.0], (3, 1))),
        "started_at": now(),
        "finished_at": now(),
    }


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def running(command: list[str], ready: str, log: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A server of its own process group, from the moment at which ``ready`` answers."""
    with log.open("wb") as file:
        server = subprocess.Popen(
            command, stdout=file, stderr=file, env=os.environ | (environment or {}), start_new_session=True
        )
    try:
        _await(ready, server, log)
        yield
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def _await(ready: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(ready, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"The server at {ready} did not come up. Its log ends: {log.read_text()[-500:]}")


@contextmanager
def attune(settings: Settings, folder: Path) -> Iterator[str]:
    """The console's address."""
    command, address = [sys.executable, "-m", "attune.labeler.web.serve"], f"http://127.0.0.1:{settings.web_port}"
    with running(command, f"{address}/healthz", folder / "attune.log", settings.environment()):
        yield address


@contextmanager
def mlflow(environment: Path, folder: Path) -> Iterator[str]:
    """The address of MLflow's server, with a registered model whose alias is champion."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [str(environment / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.sqlite", "--artifacts-destination", str(folder)]
    path = {"PATH": f"{environment / 'bin'}:{os.environ['PATH']}"}  # the server looks for its parts by name
    with running(command, f"{address}/health", folder / "mlflow.log", path):
        subprocess.run([environment / "bin" / "python", "-c", MLFLOW, address], check=True, capture_output=True)
        yield address


# -- what is measured ----------------------------------------------------------------------------------------------
def pulls(address: str, token: str, folder: Path, n: int) -> dict[str, Any]:
    """Milliseconds of a pull: nothing cached, an alias that still means the same (one question), a version (none)."""
    known = folder / "known"
    pull(NAME, folder / "to", address, token, known)
    pull(f"{NAME}@1", folder / "to", address, token, known)
    ways: dict[str, Callable[[int], Any]] = {
        "uncached": lambda i: pull(NAME, folder / f"new-{i}", address, token, folder / f"cache-{i}"),
        "cached alias": lambda i: pull(NAME, folder / "to", address, token, known),
        "cached version": lambda i: pull(f"{NAME}@1", folder / "to", address, token, known),
    }
    clocked: dict[str, list[float]] = {way: [] for way in ways}
    for i in range(n):
        for way, work in ways.items():
            began = time.perf_counter()
            work(i)
            clocked[way].append(1000 * (time.perf_counter() - began))
    return {way: {"p50_ms": quantile(ms, 0.5), "p95_ms": quantile(ms, 0.95)} for way, ms in clocked.items()}


def crowd(address: str, token: str, folder: Path, clients: int, each: int) -> dict[str, Any]:
    """``clients`` that pull at once into folders and caches of their own, ``each`` times; a second, errors, and ms."""
    together, errors, clocked = threading.Barrier(clients + 1), [], []

    def one(number: int) -> None:
        together.wait()
        for i in range(each):
            place, began = folder / "crowd" / f"{number}-{i}", time.perf_counter()
            try:
                pull(NAME, place / "to", address, token, place / "cache")
            except Exception as error:
                errors.append(repr(error))
            clocked.append(1000 * (time.perf_counter() - began))

    with ThreadPoolExecutor(clients) as pool:
        waiting = [pool.submit(one, number) for number in range(clients)]
        together.wait()
        began = time.perf_counter()
        for done in waiting:
            done.result()
        seconds = time.perf_counter() - began
    pulled = clients * each
    told = {"clients": clients, "pulls": pulled, "errors": len(errors), "first_errors": errors[:3]}
    p50, p95 = quantile(clocked, 0.5), quantile(clocked, 0.95)
    return told | {"pulls_per_second": pulled / seconds, "p50_ms": p50, "p95_ms": p95}


def rate(address: str, path: str, headers: dict[str, str], connections: int, seconds: float, prompt: bool) -> float:
    """Answers a second over ``connections`` that stay open; anything but 200 or 304 stops the measurement.

    ``prompt`` acknowledges each packet at once, as no usual client does: a server that sends an answer in two pieces,
    as MLflow's does, else waits some 40 ms for the receipt of the first.
    """
    host, port = address.removeprefix("http://").split(":")
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *(f"{name}: {value}" for name, value in headers.items())]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    until = time.perf_counter() + seconds

    def one() -> int:
        answered = 0
        while time.perf_counter() < until:
            with socket.create_connection((host, int(port)), timeout=30) as line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                stays = True
                while stays and time.perf_counter() < until:
                    line.sendall(request)
                    stays = read_answer(line, prompt)
                    answered += 1
        return answered

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        answered = sum(done.result() for done in [pool.submit(one) for _ in range(connections)])
    return answered / (time.perf_counter() - began)


def read_answer(line: socket.socket, prompt: bool) -> bool:
    """Read one answer whole; whether the connection stays open. Raises SystemExit for one that is no success."""
    held = b""
    while b"\r\n\r\n" not in held:
        held += _more(line, prompt)
    head, _, body = held.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status not in (200, 304):
        raise SystemExit(f"An answer of status {status} came: {body[:300]!r}")
    length = [row for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")]
    wanted = int(length[0].split(b":")[1]) if length and status == 200 else 0
    while len(body) < wanted:
        body += _more(line, prompt)
    return b"connection: close" not in head.lower()


def _more(line: socket.socket, prompt: bool) -> bytes:
    if prompt and hasattr(socket, "TCP_QUICKACK"):  # the kernel forgets it after a while
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    piece = line.recv(65536)
    if not piece:
        raise SystemExit("The server closed the connection in the middle of an answer.")
    return piece


def rates(
    addresses: dict[str, str], token: str, connections: int, rounds: int, seconds: float, prompt: bool
) -> dict[str, Any]:
    """Requests a second of each server in turns; the first round warms up and is not counted."""
    path, shown_token = f"/api/v1/probes/{NAME}/champion", {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(addresses["attune"] + path, headers=shown_token)
    with urllib.request.urlopen(request) as answer:
        etag = {"If-None-Match": answer.headers["ETag"]}
    asked = {
        "attune": ("attune", path, shown_token),
        "attune, unchanged (304)": ("attune", path, shown_token | etag),
        "mlflow": ("mlflow", f"/api/2.0/mlflow/registered-models/alias?name={NAME}&alias=champion", {}),
    }
    asked = {way: held for way, held in asked.items() if held[0] in addresses}
    counted: dict[str, list[float]] = {way: [] for way in asked}
    for number in range(rounds + 1):
        for way, (server, where, headers) in asked.items():
            found = rate(addresses[server], where, headers, connections, seconds, prompt)
            if number:
                counted[way].append(found)
    told: dict[str, Any] = {"connections": connections, "seconds": seconds, "receipts_at_once": prompt}
    told["requests_per_second"] = {way: quantile(found, 0.5) for way, found in counted.items()}
    if "mlflow" in addresses:
        told["times_mlflow"] = {way: ratio(counted[way], counted["mlflow"]) for way in asked if way != "mlflow"}
    return told


# -- telling it ----------------------------------------------------------------------------------------------------
def show(found: dict[str, Any]) -> None:
    """The table."""
    for way, told in found["pulls"].items():
        click.echo(f"{way:16} p50 {shown(told['p50_ms'], ' ms'):28} p95 {shown(told['p95_ms'], ' ms')}")
    many = found["crowd"]
    click.echo(
        f"{many['clients']} at once: {many['pulls_per_second']:.1f} uncached pulls/s, {many['errors']} errors of "
        f"{many['pulls']}, p50 {shown(many['p50_ms'], ' ms')}, p95 {shown(many['p95_ms'], ' ms')}"
    )
    for row in found["manifest"]:
        for way, per_second in row["requests_per_second"].items():
            times: Figure | None = row.get("times_mlflow", {}).get(way)
            beside = f"   {shown(times)} times MLflow's" if times else ""
            receipts = "receipts at once" if row["receipts_at_once"] else "as usual"
            click.echo(
                f"{row['connections']:>2} connections, {receipts:16}  {way:24} {shown(per_second, '/s'):28}{beside}"
            )


@click.command()
@click.option("--mlflow-env", type=click.Path(exists=True, file_okay=False, path_type=Path), help="MLflow's own.")
@click.option("--pulls", "n", default=200, show_default=True)
@click.option("--clients", default=50, show_default=True)
@click.option("--each", default=10, show_default=True, help="Pulls of each client.")
@click.option("--rounds", default=7, show_default=True, help="Of counting requests, after one to warm up.")
@click.option("--seconds", default=5.0, show_default=True, help="That each round counts each server.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path))
def main(
    mlflow_env: Path | None, n: int, clients: int, each: int, rounds: int, seconds: float, out: Path | None
) -> None:
    """Print a table; write it as JSON."""
    with tempfile.TemporaryDirectory(prefix="attune-pull-") as name:
        folder = Path(name)
        settings = fill(folder / "workspace")
        token = tokens.issue(settings, "bench")
        with attune(settings, folder) as address:
            found: dict[str, Any] = {"pulls": pulls(address, token, folder, n)}
            found["crowd"] = crowd(address, token, folder, clients, each)
            if mlflow_env:
                with mlflow(mlflow_env.absolute(), folder) as other:
                    beside = {"attune": address, "mlflow": other}
                    found["manifest"] = [
                        rates(beside, token, c, rounds, seconds, at_once) for at_once in (False, True) for c in (1, 8)
                    ]
            else:
                found["manifest"] = [rates({"attune": address}, token, c, rounds, seconds, False) for c in (1, 8)]
    show(found)
    if out:
        write_json(out, found | {"machine": machine(), "versions": versions(mlflow_env)})


def versions(mlflow_env: Path | None) -> dict[str, str]:
    """Of what was measured."""
    found = {name: version(name) for name in ("attune", "flask", "waitress", "sqlalchemy")}
    if mlflow_env:
        code = "import importlib.metadata as m; print(m.version('mlflow'))"
        told = subprocess.run([mlflow_env / "bin" / "python", "-c", code], check=True, capture_output=True, text=True)
        found["mlflow"] = told.stdout.strip()
    return found


if __name__ == "__main__":
    main()
