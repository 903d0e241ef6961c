"""A publisher killed at any instant leaves the old state or the new; many at once leave one history."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext, ForkServerProcess

import numpy as np
import pytest

from attune.labeler.catalog import listing
from attune.labeler.catalog.alias_history import history
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.catalog.reading import file_of
from attune.labeler.catalog.restore_files import restore
from attune.labeler.records.schema import Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import parse_reference
from attune.models.catalog.probe_files import read_probe
from tests.labeler.catalog import worlds
from tests.labeler.catalog.moves import began_loaded, promote_one

pytestmark = pytest.mark.slow
KILLS = 30


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Processes that begin with everything loaded and done once, so that a kill meets the work and not the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.labeler.catalog.moves_done"])
    assert ends_well(context.Process(target=began_loaded)), "else kills meet imports"
    return context


def ends_well(process: ForkServerProcess) -> bool:
    """Let ``process`` come to its end."""
    process.start()
    process.join()
    return process.exitcode == 0


def left(settings: Settings) -> tuple[object, ...]:
    """What promotions left so far: versions, lines of the history, and files, half-written ones as well."""
    with reading(settings) as session:
        rows = sorted(row.version for row in session.query(Version))
    files = sorted(str(path) for path in (settings.workspace / "catalog").rglob("*"))
    return rows, len(history(settings, "serious")), files


def check(settings: Settings) -> None:
    """Whatever the records or the catalog name is there and whole, and the alias is what the history says."""
    catalog = Catalog(settings.catalog_address)
    with reading(settings) as session:
        rows = {row.version: row.digest for row in session.query(Version)}
    for version in {*rows, *catalog.versions("serious")}:
        manifest = catalog.manifest("serious", version)
        assert manifest.digest == rows.get(version, manifest.digest)
        for name in manifest.files:
            catalog.read(manifest, name)
        read_probe(catalog.read(manifest, "probe.safetensors"))
    lines = history(settings, "serious")
    aliases = listing.versions(settings, "serious")["aliases"]
    assert aliases == ({"champion": lines[-1].version} if lines else {})
    assert [line.before for line in lines] == [None, *(line.version for line in lines)][: len(lines)]
    assert {line.version for line in lines} <= set(rows)
    if lines:
        listing.resolve(settings, parse_reference("serious"))


@contextmanager
def pulled_all_the_while(settings: Settings) -> Iterator[None]:
    """A pipeline that reads the champion again and again while the block lasts, from the records and from the files."""
    stop, errors, read = threading.Event(), [], 0
    catalog, wanted = Catalog(settings.catalog_address), parse_reference("serious")

    def pull() -> None:
        nonlocal read
        while not stop.is_set():
            try:
                read_probe(file_of(settings, wanted, "probe.safetensors").content)
                manifest = catalog.manifest("serious", catalog.resolve(wanted))
                for name in manifest.files:
                    catalog.read(manifest, name)
                read += 1
            except Exception as error:
                errors.append(repr(error))
            stop.wait(0.1)  # no reader is so keen that it leaves the writer no processor

    pipeline = threading.Thread(target=pull)
    pipeline.start()
    try:
        yield
    finally:
        stop.set()
        pipeline.join()
    assert errors == []
    assert read > 0


def test_thirty_kills_leave_no_half_version(settings: Settings, forks: ForkServerContext) -> None:
    generator = np.random.default_rng(7)
    assert ends_well(forks.Process(target=promote_one, args=(settings.workspace, "1", "whole")))
    begun = time.monotonic()
    assert ends_well(forks.Process(target=promote_one, args=(settings.workspace, "2", "whole")))
    length = time.monotonic() - begun
    ended = cut = 0
    with pulled_all_the_while(settings):
        for number in range(KILLS):
            worlds.add_run(settings)
            before = left(settings)
            process = forks.Process(target=promote_one, args=(settings.workspace, "latest", f"try {number}"))
            process.start()
            process.join(timeout=generator.uniform(0, length))
            process.kill()
            process.join()
            ended += process.exitcode == 0
            cut += process.exitcode != 0 and left(settings) != before
            if not ended + cut:
                length *= 1.5  # killed before it had done anything: the machine is busier than it was
            check(settings)
    assert ended < KILLS, "some were killed"
    assert ended + cut > 0, "no kill met the work"
    restore(settings)
    final = promote(settings, Move("serious", "latest", "after the storm", "ana"))
    check(settings)
    assert Catalog(settings.catalog_address).aliases("serious") == {"champion": final.version}


def test_twenty_at_once_write_one_history_without_a_gap(settings: Settings, forks: ForkServerContext) -> None:
    barrier = forks.Barrier(20)
    processes = [
        forks.Process(target=promote_one, args=(settings.workspace, str(number % 3 + 1), f"call {number}", barrier))
        for number in range(20)
    ]
    promote(settings, Move("serious", 1, "before all", "ana"))
    with pulled_all_the_while(settings):
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    assert [process.exitcode for process in processes] == [0] * 20
    lines = history(settings, "serious")
    assert sorted(line.reason for line in lines) == sorted(["before all", *(f"call {number}" for number in range(20))])
    check(settings)
    assert Catalog(settings.catalog_address).aliases("serious") == {"champion": lines[-1].version}
