"""No command, whatever is typed after it, shows a trace or an exception's words; each ends with a plain code."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attune.labeler.cli.main import attune, run
from attune.labeler.jobs import jobs
from attune.labeler.records.session import engine
from attune.models.errors import CONSEQUENCES
from tests.support import engines
from tests.support.factories import picture, workspace

# Commands that start services, or ask for a person's patience: of them only options and their help are tried.
STARTS = {("up",), ("demo",), ("doctor",)}
CODES = {0, 1, 2} | {row.exit_code for row in CONSEQUENCES.values()} | {13}
# A trace, the name of a class of errors, and words that only exceptions say.
TRACE = re.compile(
    r"Traceback \(most recent|^\s+File \"|[A-Za-z_.]+(Error|Exception|Warning)\b|[Ee]rrno|<class |0x[0-9a-f]{8}"
    r"|codec can't|has no attribute|Expecting |SELECT |INSERT |\(Background on|No such file or directory"
)
UNEXPECTED = re.compile(r"internal error \(number [0-9a-f]{8}\)")


def leaves(command: click.Command, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that lead to it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            assert found is not None
            yield from leaves(found, (*name, word))
    else:
        yield name, command


COMMANDS = dict(leaves(attune))
FILES = [
    "", ".", "/proc/x.csv", "/dev/null", "/dev/full", "nowhere/at/all.csv", "empty", "folder", "full-folder",
    "notes.txt", "broken.json", "list.json", "labels.csv", "labels.tsv", "latin.csv", "wide.csv", "vectors.npz",
    "cut.npz", "cut.parquet", "cut.arrow", "pickled.npz", "cut.png", "0.png", "~tmp.png", "~nobody-here.csv", "~",
    "file:///0.png", "file://elsewhere/0.png", "file://localhost/%00%ff.png", "ftp2://host/x", "link", "loop",
    "dangling", "link-folder", "socket", "notes.txt/below.csv", "a" * 300, "é" * 130 + ".parquet", "\udcff.csv",
    "new\nline.csv", "-", "--", "%s", "{}", "*",
]  # fmt: skip
TEXTS = [
    "", " ", "serious", "serious@champion", "serious@999999999999999999999", "serious@latest", "@", "a@b@c", "0",
    "-1", "1e25", "nan", "9" * 40, "ana@studio.example", "ana", "ANA@STUDIO.EXAMPLE", "0.png", "yes", "yes,no", ",",
    "a=b", "=", "../../etc/passwd", "\udcff", "'; drop table assets; --", "%", "\x1b[31m", "😀", "e\u0301", "\u202e",
    "x" * 5000, "nl\nnl", "latest", "champion", "[", "\\", "http://", "::", "http://127.0.0.1:1", "http://[",
    "http://127.0.0.1:99999",
]  # fmt: skip
# Half of them lead further than to the first check.
LIKELY = st.sampled_from(
    ["serious", "serious@champion", "0.png", "1", "yes", "ana@studio.example", "labels.csv", "full-folder"]
)
ODD = st.one_of(
    LIKELY,
    LIKELY,
    st.sampled_from(FILES),
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_characters="\0"), max_size=12),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of odd files with a small workspace in it; services are away, and answer so at once."""
    folder = tmp_path_factory.mktemp("odd")
    before = os.getcwd()
    os.chdir(folder)
    make_odd_files(folder)
    kept = {name: os.environ.get(name) for name in os.environ if name.startswith("ATTUNE_")}
    with pytest.MonkeyPatch.context() as patch:
        for name in kept:
            patch.delenv(name)
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("ATTUNE_REDIS_PORT", "1")
        patch.setenv("ATTUNE_WEB_PORT", "1")
        patch.setenv("ATTUNE_LABEL_STUDIO_PORT", "1")
        patch.setattr(jobs, "workers_alive", lambda *_: False)
        engines.without_ray(patch)
        assert run(["assets", "add", "full-folder", "--vectors", "vectors.npz"]) == 0
        assert run(["attribute", "create", "serious", "--question", "?", "--classes", "yes,no"]) == 0
        yield folder
    os.chdir(before)
    engine(f"sqlite:///{folder / 'workspace' / 'records.sqlite'}").dispose()


def make_odd_files(folder: Path) -> None:
    """What people have on their disks, in ``folder``."""
    workspace(folder / "workspace")
    for name in ("folder", "full-folder"):
        Path(name).mkdir()
    for number in range(3):
        Path(f"full-folder/{number}.png").write_bytes(picture(number))
    Path("0.png").write_bytes(picture(0))
    Path("~tmp.png").write_bytes(picture(1))
    Path("cut.png").write_bytes(picture(2)[:200])
    Path("empty").touch()
    Path("notes.txt").write_text("Dear all,\n")
    Path("broken.json").write_text('{"labels": [')
    Path("list.json").write_text("[[[1, null]]]")
    Path("labels.csv").write_text("asset_id,expert,class\n0.png,ana@studio.example,yes\n,,\n1.png,ana,perhaps\n")
    Path("labels.tsv").write_text('asset_id\texpert\tclass\n"0.png\tana\tyes\n')
    Path("latin.csv").write_bytes("asset_id,expert,class\né,é,é\n".encode("latin-1"))
    Path("wide.csv").write_text("filename,x\n0.png," + "y" * 200_000 + "\n")
    np.savez("vectors.npz", ids=np.array(["0", "1", "2"]), vectors=np.eye(3, dtype=np.float32))
    np.savez("pickled.npz", ids=np.array(["0", {}], dtype=object), vectors=np.eye(2))
    whole = Path("vectors.npz").read_bytes()
    Path("cut.npz").write_bytes(whole[: len(whole) // 2])
    Path("cut.parquet").write_bytes(b"PAR1" + b"\0" * 20)
    Path("cut.arrow").write_bytes(b"ARROW1\0\0" + b"\0" * 20)
    for name, to in {"link": "notes.txt", "loop": "loop", "dangling": "gone", "link-folder": "folder"}.items():
        Path(name).symlink_to(to)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")


def arguments(draw: Any, command: click.Command) -> list[str]:
    """What somebody may type after ``command``: its arguments and some options, most values odd."""
    typed: list[str] = []
    for one in command.params:
        if isinstance(one, click.Argument):
            least = 1 if one.required else 0
            typed += draw(st.lists(ODD, min_size=least, max_size=2 if one.nargs == -1 else 1))
        elif one.name not in ("workspace", "help") and (one.required or draw(st.booleans())):
            name = draw(st.sampled_from(one.opts))
            if not one.is_flag:  # type: ignore[attr-defined]
                typed += [name, draw(value_of(one))]
            else:
                typed.append(name)
    return typed


def _log() -> str:
    log = Path("workspace/logs/errors.log")
    return log.read_text()[-3000:] if log.exists() else ""


def value_of(one: click.Parameter) -> st.SearchStrategy[str]:
    if isinstance(one.type, click.Choice):
        return st.sampled_from([str(choice) for choice in one.type.choices])
    if isinstance(one.type, click.Path):
        return st.sampled_from(FILES)
    if one.type.name.startswith("integer"):
        return st.sampled_from(["1", "2", "20", "-1", "x", "9" * 30])
    return ODD


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_command_shows_a_trace(
    place: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], data: st.DataObject
) -> None:
    typed = [*words, *arguments(data.draw, COMMANDS[words])]
    if words in STARTS:
        typed.append("--no-such-option")
    try:
        code = run(typed)
    except SystemExit as end:
        code = int(end.code or 0)
    said = capfd.readouterr()
    assert code in CODES, (typed, code, said)
    for text in (said.out, said.err):
        spoken = text.replace("\n".join(typed), "")
        for word in filter(TRACE.search, typed):  # what a person typed may look like anything
            spoken = spoken.replace(word, "")
        assert not TRACE.search(spoken), (typed, text)
        assert not UNEXPECTED.search(spoken), (typed, text, _log())
    assert code == 0 or said.err.strip() or said.out.strip(), (typed, "ends without a word")
