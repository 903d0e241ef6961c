"""A pull leaves checked files or none, asks only for what changed, and works without a line to the server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from attune.models.catalog.catalog import Catalog
from attune.models.catalog.probe_files import probe_bytes
from attune.models.catalog.pull_probe import fetch, pull
from attune.models.catalog.version_files import make_version
from attune.models.errors import (
    CatalogError,
    CatalogUnreachable,
    DigestMismatch,
    NotInCache,
    SettingsError,
    UnknownProbe,
)
from attune.models.files.atomic import digest_bytes
from tests.models.catalog.manifests import make
from tests.support.disks import remount

FILES = ["card.md", "manifest.json", "probe.onnx", "probe.safetensors"]


def publish(address: Path, number: int, name: str = "romance") -> dict[str, bytes]:
    """Publish a version and make it champion; the content of its files."""
    weight = np.random.default_rng(number).normal(size=(3, 4))
    probe = probe_bytes(weight, np.zeros(3), np.tile([1.0, 0.0], (3, 1)))
    manifest, contents = make_version(make(attribute=name, version=number, files={}), probe)
    catalog = Catalog(str(address))
    catalog.publish(manifest, contents)
    catalog.write_aliases(name, {"champion": number})
    return contents | {"manifest.json": manifest.to_bytes()}


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Server:
    """A small HTTP server over a catalog's folder that speaks the read API and can misbehave."""

    def __init__(self, catalog: Path) -> None:
        self.catalog = Catalog(str(catalog))
        self.asked: list[tuple[str, int]] = []
        self.tokens: list[str | None] = []
        self.change: Callable[[str, bytes], bytes] = lambda path, content: content
        self.status = 0
        self.location = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.tokens.append(handler.headers.get("Authorization"))
        parts = handler.path.split("/")[4:]
        ref = parts[1]
        version = int(ref) if ref.isdigit() else self.catalog.aliases(parts[0])[ref]
        content = self.catalog.manifest_bytes(parts[0], version)
        if len(parts) == 4:
            content = self.catalog.read(self.catalog.manifest(parts[0], version), parts[3])
        mark = f'"{digest_bytes(content)}"'
        status = self.status or (304 if handler.headers.get("If-None-Match") == mark else 200)
        self.asked.append((handler.path, status))
        handler.send_response(status)
        if self.location:
            handler.send_header("Location", self.location)
        handler.send_header("ETag", mark)
        handler.send_header("Content-Length", "0" if status == 304 else str(len(content)))
        handler.end_headers()
        if status != 304:
            handler.wfile.write(self.change(handler.path, content))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "catalog")
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_the_files_arrive_as_published_over_http_and_from_a_folder(server: Server, tmp_path: Path) -> None:
    contents = publish(tmp_path / "catalog", 3)
    for number, url in enumerate((server.url, str(tmp_path / "catalog"))):
        done = pull("romance", tmp_path / str(number), url=url, token="t", cache=tmp_path / f"cache{number}")
        assert held(tmp_path / str(number)) == contents
        assert (done.manifest.version, done.bytes) == (3, sum(map(len, contents.values())))
    assert set(server.tokens) == {"Bearer t"}


def test_what_was_pulled_before_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    publish(tmp_path / "catalog", 3)
    options = {"url": server.url, "cache": tmp_path / "cache"}
    pull("romance", tmp_path / "a", **options)
    server.asked.clear()
    assert pull("romance", tmp_path / "b", **options).bytes == 0
    assert server.asked == [("/api/v1/probes/romance/champion", 304)]
    assert held(tmp_path / "a") == held(tmp_path / "b")
    pull("romance@3", tmp_path / "c", **options)
    server.asked.clear()
    pull("romance@3", tmp_path / "d", **options)
    assert server.asked == [], "a version never changes, so nobody is asked"


def test_a_moved_alias_brings_the_new_version_into_the_folder(server: Server, tmp_path: Path) -> None:
    publish(tmp_path / "catalog", 3)
    options = {"url": server.url, "cache": tmp_path / "cache"}
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "notes.txt").write_text("mine")
    pull("romance", tmp_path / "to", **options)
    contents = publish(tmp_path / "catalog", 4)
    pull("romance@champion", tmp_path / "to", **options)
    assert held(tmp_path / "to") == contents | {"notes.txt": b"mine"}


def test_a_folder_with_another_probe_is_kept_unless_it_is_meant(tmp_path: Path) -> None:
    publish(tmp_path / "catalog", 3)
    other = publish(tmp_path / "catalog", 1, "dread")
    options = {"url": str(tmp_path / "catalog"), "cache": tmp_path / "cache"}
    pull("romance", tmp_path / "to", **options)
    before = held(tmp_path / "to")
    with pytest.raises(CatalogError, match=r"holds romance, and dread would overwrite it.*--force"):
        pull("dread", tmp_path / "to", **options)
    assert held(tmp_path / "to") == before
    pull("dread", tmp_path / "to", **options, force=True)
    assert held(tmp_path / "to") == other


def test_offline_gives_what_is_cached_and_says_what_is_not(server: Server, tmp_path: Path) -> None:
    contents = publish(tmp_path / "catalog", 3)
    cache = tmp_path / "cache"
    with pytest.raises(
        NotInCache, match=r"romance@champion: its version number is not in the cache .*without --offline"
    ):
        pull("romance", tmp_path / "a", url=server.url, cache=cache, offline=True)
    fetch("romance", url=server.url, cache=cache, files=["card.md"])
    with pytest.raises(NotInCache, match=r"probe\.\w+ of version 3 is not in the cache"):
        pull("romance", tmp_path / "a", url=server.url, cache=cache, offline=True)
    assert not (tmp_path / "a").exists()
    pull("romance", tmp_path / "b", url=server.url, cache=cache)
    server.http.shutdown()
    for url in (server.url, server.url + "/", None):
        for name in ("romance", "romance@3"):  # the version that the alias led to is known by its number, too
            pull(name, tmp_path / "c", url=url, cache=cache, offline=True)
            assert held(tmp_path / "c") == contents


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("how", ["cut off", "altered", "longer"])
def test_a_truncated_or_altered_file_is_refused_and_nothing_is_kept(
    server: Server, tmp_path: Path, file: str, how: str
) -> None:
    publish(tmp_path / "catalog", 3)
    last = "champion" if file == "manifest.json" else file
    ways = {
        "cut off": lambda content: content[: len(content) // 2],
        "altered": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        "longer": lambda content: content[:-4] + b"more",
    }
    server.change = lambda path, content: ways[how](content) if path.endswith(last) else content
    if how == "cut off":
        server.http.RequestHandlerClass.protocol_version = "HTTP/1.0"  # the connection closes early
    with pytest.raises(DigestMismatch, match=r"Pull again"):
        pull("romance", tmp_path / "to", url=server.url, cache=tmp_path / "cache")
    assert not (tmp_path / "to").exists()
    server.change = lambda path, content: content
    pull("romance", tmp_path / "to", url=server.url, cache=tmp_path / "cache")
    assert sorted(held(tmp_path / "to")) == FILES


def test_a_damaged_cache_or_folder_is_mended(server: Server, tmp_path: Path) -> None:
    contents = publish(tmp_path / "catalog", 3)
    options = {"url": server.url, "cache": tmp_path / "cache"}
    pull("romance", tmp_path / "to", **options)
    for blob in (tmp_path / "cache" / "blobs").rglob("*"):
        if blob.is_file():
            blob.write_bytes(b"rot")
    for name in FILES[:3]:
        (tmp_path / "to" / name).write_bytes(b"rot")
    pull("romance", tmp_path / "to", **options)
    assert held(tmp_path / "to") == contents


def test_another_probe_than_the_one_asked_for_is_refused(server: Server, tmp_path: Path) -> None:
    publish(tmp_path / "catalog", 3)
    publish(tmp_path / "catalog", 4)
    folder = tmp_path / "catalog" / "probes" / "romance"
    (folder / "3" / "manifest.json").write_bytes((folder / "4" / "manifest.json").read_bytes())
    with pytest.raises(DigestMismatch, match=r"romance@3 was requested, but the server sent romance version 4"):
        pull("romance@3", tmp_path / "to", url=server.url, cache=tmp_path / "cache")


def test_the_token_follows_no_redirect(server: Server, tmp_path: Path) -> None:
    publish(tmp_path / "catalog", 3)
    server.status, server.location = 302, "http://127.0.0.1:9/steal"
    with pytest.raises(CatalogError, match="status 302"):
        pull("romance", tmp_path / "to", url=server.url, token="t", cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [(401, CatalogError, "ATTUNE_TOKEN"), (404, CatalogError, "404"), (503, CatalogUnreachable, "503")],
)
def test_refusals_say_what_to_look_at(
    server: Server, tmp_path: Path, status: int, error: type[Exception], said: str
) -> None:
    publish(tmp_path / "catalog", 3)
    server.status = status
    with pytest.raises(error, match=said):
        pull("romance", tmp_path / "to", url=server.url, cache=tmp_path / "cache")


def test_nobody_there_and_no_address_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnreachable, match=r"http://127\.0\.0\.1:9 is unavailable.*--offline"):
        pull("romance", tmp_path / "to", url="http://127.0.0.1:9", cache=tmp_path / "cache")
    with pytest.raises(SettingsError, match="ATTUNE_URL"):
        pull("romance", tmp_path / "to", cache=tmp_path / "cache")
    with pytest.raises(UnknownProbe):
        pull("../romance", tmp_path / "to", url="http://127.0.0.1:9", cache=tmp_path / "cache")


PULLS = """
import sys
from attune.models.catalog.pull_probe import pull
url, cache, to = sys.argv[1:4]
for ref in sys.argv[4:]:
    pull(ref, to, url=url, cache=cache)
"""


def test_processes_that_pull_into_one_folder_at_once_leave_one_version_whole(tmp_path: Path) -> None:
    versions = {number: publish(tmp_path / "catalog", number) for number in (3, 4)}
    arguments = [str(tmp_path / name) for name in ("catalog", "cache", "to")]
    both = [["romance@3", "romance@4"] * 10, ["romance@4", "romance@3"] * 10]
    running = [subprocess.Popen([sys.executable, "-c", PULLS, *arguments, *refs]) for refs in (*both, *both)]
    assert [process.wait() for process in running] == [0, 0, 0, 0]
    assert held(tmp_path / "to") in versions.values()


def test_pulling_over_http_imports_nothing_heavy(server: Server, tmp_path: Path) -> None:
    publish(tmp_path / "catalog", 3)
    heavy = "{'numpy', 'pyarrow', 'sklearn', 'torch', 'fsspec', 'sqlalchemy'}"
    script = f"{PULLS}\nfound = {heavy} & set(sys.modules)\nsys.exit(str(found) if found else 0)"
    arguments = [server.url, str(tmp_path / "cache"), str(tmp_path / "to"), "romance"]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("offline", [True, False])
def test_a_filled_cache_may_be_read_only(server: Server, small_disk: Path, tmp_path: Path, offline: bool) -> None:
    contents = publish(tmp_path / "catalog", 3)
    pull("romance", tmp_path / "a", url=server.url, cache=small_disk / "cache")
    remount(small_disk, "ro")
    done = pull("romance", tmp_path / "b", url=server.url, cache=small_disk / "cache", offline=offline)
    assert (done.bytes, held(tmp_path / "b")) == (0, contents)


def test_the_folder_at_fault_is_named(server: Server, small_disk: Path, tmp_path: Path) -> None:
    publish(tmp_path / "catalog", 3)
    cache, to = small_disk / "cache", tmp_path / "to"
    remount(small_disk, "ro")
    with pytest.raises(CatalogError, match=rf"The cache {cache} cannot be used: its file system is read-only"):
        pull("romance", to, url=server.url, cache=cache)
    with pytest.raises(CatalogError, match=rf"The folder {small_disk / 'to'} cannot be written: .* read-only.* --to"):
        pull("romance", small_disk / "to", url=server.url, cache=tmp_path / "cache")
    (tmp_path / "file").touch()
    with pytest.raises(CatalogError, match=rf"The cache {tmp_path / 'file'} cannot be used"):
        pull("romance", to, url=server.url, cache=tmp_path / "file")
    with pytest.raises(CatalogError, match=rf"The folder {tmp_path / 'file' / 'x'} cannot be written"):
        pull("romance", tmp_path / "file" / "x", url=server.url, cache=tmp_path / "cache")


def test_a_full_disk_leaves_the_old_version(server: Server, small_disk: Path, tmp_path: Path) -> None:
    contents = publish(tmp_path / "catalog", 3)
    options = {"url": server.url, "cache": tmp_path / "cache"}
    pull("romance", small_disk / "to", **options)
    publish(tmp_path / "catalog", 4)
    free = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(bytes(free.f_bavail * free.f_bsize))
    with pytest.raises(CatalogError, match="the disk is full"):
        pull("romance", small_disk / "to", **options)
    assert held(small_disk / "to") == contents


def test_links_and_modes_in_the_folder_stay(server: Server, tmp_path: Path) -> None:
    publish(tmp_path / "catalog", 3)
    options = {"url": server.url, "cache": tmp_path / "cache"}
    to, far = tmp_path / "to", tmp_path / "far"
    to.mkdir()
    far.mkdir()
    for name in ("manifest.json", "probe.safetensors"):
        (far / name).touch(mode=0o600)
        (to / name).symlink_to(far / name)
    pull("romance", to, **options)
    contents = publish(tmp_path / "catalog", 4)
    pull("romance", to, **options)
    assert held(to) == contents
    assert {(path.is_symlink(), path.stat().st_mode & 0o777) for path in to.glob("[mp]*[ns]")} == {(True, 0o600)}
