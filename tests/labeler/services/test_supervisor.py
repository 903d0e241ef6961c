"""The supervisor over small parts: what dies starts again, what stops stops whole, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from attune.labeler.services import orphans, start_part
from attune.labeler.services.parts import MARK
from attune.labeler.services.process_runner import LOG_BYTES, last_words, open_log, roll, tail

Start = Callable[..., subprocess.Popen[str]]
SLEEP = "exec sleep 600"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started = []

    def begin(**lines: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.labeler.services.small", str(tmp_path), json.dumps(lines)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()
    orphans.sweep(tmp_path)


def family(workspace: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if orphans._is_ours(process, workspace)]


def until(true: Callable[[], object]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come true within 30 s")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_every_part_and_what_it_started(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    # The second ignores the polite request, and its child has left the process group as rq's work-horses do.
    stubborn = (
        f"trap '' TERM; {sys.executable} -c 'import os, time; os.setpgrp(); time.sleep(600)' & sleep 600; sleep 600"
    )
    process = start(polite=SLEEP, stubborn=stubborn)
    until(lambda: len(family(tmp_path)) >= 4)
    process.send_signal(number)
    assert process.wait(20) == 0
    assert family(tmp_path) == []


def test_a_part_that_dies_starts_again_and_the_others_never_notice(start: Start, tmp_path: Path) -> None:
    births = {name: tmp_path / f"{name}.births" for name in ("mortal", "other")}
    start(**{name: f"echo $$ >> {file}; {SLEEP}" for name, file in births.items()})
    until(lambda: len(family(tmp_path)) == 2 and all(file.exists() for file in births.values()))
    os.kill(int(births["mortal"].read_text()), signal.SIGKILL)
    until(lambda: len(births["mortal"].read_text().split()) == 2)
    assert len(births["other"].read_text().split()) == 1
    assert len(family(tmp_path)) == 2


def test_a_part_that_keeps_dying_stops_all_with_the_end_of_its_log(start: Start, tmp_path: Path) -> None:
    process = start(healthy=SLEEP, sick="echo the disk is full; exit 3")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 11
    assert "sick" in said
    assert "ended with status 3; starts again in 1 s" in said
    assert "stops again and again" in said
    assert "the disk is full" in said.split("stops again and again")[1]
    assert family(tmp_path) == []


def test_a_part_that_ends_in_a_traceback_shows_none(start: Start) -> None:
    program = "print('half a sentence', flush=True); {}['the secret']"
    process = start(sick=f'{sys.executable} -c "{program}"')
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 11
    told = said.split("stops again and again")[1]
    assert "half a sentence" in told
    assert not {"Traceback", "KeyError", "the secret"} & set(told.replace("'", " ").replace(":", " ").split())
    assert "attune doctor" in told


NESTED = """INFO begins
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    one()
KeyError: 'a'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "b.py", line 2, in <module>
    two()
ValueError: b
of two lines
attune: Port 8001 is taken.
"""


@pytest.mark.parametrize(
    ("log", "kept"),
    [
        (NESTED, ["INFO begins", "of two lines", "attune: Port 8001 is taken."]),
        ("    deep()\n  File \"a.py\", line 1, in f\n    deep()\nKeyError: 'a'\nafter\n", ["deep()", "after"]),
        ("plain\n", ["plain"]),
        ('Traceback (most recent call last):\n  File "a", line 1\nOSError: gone\n', None),
        ("", None),
    ],
)
def test_last_words_are_those_for_people(tmp_path: Path, log: str, kept: list[str] | None) -> None:
    (tmp_path / "a.log").write_text(log)
    found = [line.strip() for line in last_words(tmp_path / "a.log").splitlines()]
    assert found == kept if kept is not None else len(found) == 1


def test_the_last_part_outlives_the_others(start: Start, tmp_path: Path) -> None:
    line = "trap 'date +%s%N >> {}; exit' TERM; while :; do sleep 0.1; done"
    slow = "trap 'sleep 0.5; date +%s%N >> {}; exit' TERM; while :; do sleep 0.1; done"
    process = start(last=line.format(tmp_path / "last"), other=slow.format(tmp_path / "other"))
    until(lambda: len(family(tmp_path)) >= 2)
    time.sleep(0.3)  # the traps are set
    process.terminate()
    assert process.wait(20) == 0
    assert int((tmp_path / "last").read_text()) > int((tmp_path / "other").read_text())


@pytest.mark.parametrize(
    ("is_there", "words"), [(True, "/none/redis-server does not start: No such file"), (False, "is gone")]
)
def test_a_part_that_cannot_start_says_why_in_its_log(is_there: bool, words: str) -> None:
    parent = os.getpid() if is_there else 1
    done = subprocess.run(
        [sys.executable, "-I", "-S", start_part.__file__, str(parent), "/none/redis-server"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of a parent's death on Linux only")
def test_a_supervisor_killed_with_9_takes_its_parts_along(start: Start, tmp_path: Path) -> None:
    process = start(one=SLEEP, two=SLEEP)
    until(lambda: len(family(tmp_path)) == 2)
    process.kill()
    until(lambda: family(tmp_path) == [])


def test_what_an_earlier_start_left_is_found_and_nothing_else(tmp_path: Path) -> None:
    ours = [
        subprocess.Popen(["sh", "-c", line], env={**os.environ, MARK: str(tmp_path)})
        for line in (SLEEP, "trap '' TERM; sleep 600")
    ]
    other = subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: str(tmp_path / "other")})
    try:
        assert orphans.sweep(tmp_path, grace_seconds=0.5) >= 2
        assert all(process.wait(5) is not None for process in ours)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_long_log_is_put_aside_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "part.log"
    with open_log(path) as log:
        log.write(b"before\n")
        log.flush()
        roll(path)
        log.write(b"after\n")
    assert path.read_bytes() == b"after\n"
    assert (tmp_path / "part.log.1").read_bytes() == b"before\n"
    path.write_bytes(b"x" * (LOG_BYTES + 1))
    open_log(path).close()
    assert path.stat().st_size == 0


def test_the_end_of_a_log_is_short_and_readable(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes("".join(f"line {n} ü\n" for n in range(5000)).encode() + b"\xff end")
    words = tail(tmp_path / "a.log", lines=3)
    assert words.splitlines()[:2] == ["line 4998 ü", "line 4999 ü"]
    assert tail(tmp_path / "none.log") == "(no log)"
    (tmp_path / "b.log").write_bytes(b"it said \x1b[31mred\n\tand \xc2\x9b31m more\n")
    assert tail(tmp_path / "b.log") == "it said \ufffd[31mred\n\tand \ufffd31m more", "a terminal would obey it"
