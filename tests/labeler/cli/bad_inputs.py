"""Bad inputs and the message that each one gets: as a program it writes docs/reference/bad-inputs.md; a test compares.

python -m tests.labeler.cli.bad_inputs
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result

from attune.labeler.cli.main import attune
from attune.labeler.records.session import engine
from attune.models.errors import AttuneError, consequence
from tests.labeler.cli import bad_files as files
from tests.support import images
from tests.support.factories import picture, workspace

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "bad-inputs.md"
OPENING = """# Bad inputs

Inputs that people really give, and Attune's messages. `python -m tests.labeler.cli.bad_inputs`
writes this page. A test runs every line again and compares.

"""
ADD = "attune assets add "
MAKE = "attune attribute create "
PERFORM = "attune performance add "
PLAIN = ADD + "pictures --vectors vectors.npz"


def _npz(name: str, ids: object, vectors: object) -> None:
    np.savez(name, ids=np.asarray(ids), vectors=np.asarray(vectors, dtype=np.float32))


def _world() -> None:
    """The files that the commands below speak of, and an empty workspace, in the current folder."""
    engine(workspace(Path("workspace")).records_url).dispose()
    Path("pictures").mkdir()
    for number in range(2):
        Path(f"pictures/{number}.jpg").write_bytes(picture(number))
    Path("empty-folder").mkdir()
    Path("notes.txt").write_text("Dear all,")
    Path("labels.csv").write_text("name,title\n0.jpg,x\n")
    Path("twice.csv").write_text("asset_id,filename\nA,0.jpg\nA,1.jpg\n,0.jpg\nB,\n")
    Path("odd.csv").write_text('asset_id,filename,note\nA,0.jpg,"hm\nB,1.jpg\nC,1.jpg,x,y\nD,1.jpg,z\n')
    Path("same.csv").write_text("asset_id,filename,asset_id\nA,0.jpg,B\n")
    Path("odd.tsv").write_text("asset_id\tclass\texpert\n0.jpg\tyes\n1.jpg\tno\tana@studio.example\n")
    head = "asset_id,title_id,canvas,impressions,takes"
    Path("views.csv").write_text("asset_id,title_id,canvas,views,takes\nA,T,home,100,5\n")
    Path("takes.csv").write_text(f"{head}\nA,T,home,100,5\nB,T,home,100,500\nC,T,home,,5\nA,T,home,90,4\nD,T,home,9\n")
    Path("faces.csv").write_text("asset_id,value\nlonely\nA,1\nB,0\nC,\nD,1\nD,0\n")
    Path("none.csv").write_text(f"{head}\nA,T,home,-1,0\n")
    Path("broken.json").write_text("{")
    Path("config.json").write_text('{"embed_dim": 8}')
    Path("short.json").write_text(json.dumps({"library": "x", "model": "y", "weights": "z"}))
    Path("vectors.npz").touch()
    _npz("vectors.npz", ["0.jpg", "1.jpg"], np.eye(2))
    _npz("others.npz", ["0.jpg", "1.jpg"], np.eye(2)[::-1])
    _npz("strangers.npz", ["x", "y"], np.eye(2))
    _npz("flat.npz", ["0", "1"], [1, 0])
    _npz("odd.npz", ["A", "D", "A"], [[1e25, 0], [1, 0], [0, 1]])
    _npz("nan.npz", ["0.jpg", "1.jpg"], [[1, 0], [np.nan, 0]])
    np.savez("pickled.npz", ids=np.array(["0", {}], dtype=object), vectors=np.eye(2))


# What is tried, as it is typed. Each begins in a fresh world and workspace; `&&` leaves something behind first.
COMMANDS = [
    ADD.strip(),
    ADD + "nowhere",
    ADD + "empty-folder",
    ADD + "notes.txt --vectors vectors.npz",
    ADD + "ftp2://host/images",
    ADD + "pictures",
    ADD + "pictures (ATTUNE_ENCODER=vit-b-32)",
    ADD + "pictures (ATTUNE_ENCODER=config.json)",
    ADD + "pictures (ATTUNE_PRETRAINED=mine.safetensors)",
    ADD + "pictures (ATTUNE_DEVICES=cpu)",
    ADD + "pictures (ATTUNE_EMBED_BATCH=0)",
    ADD + "pictures --manifest nowhere.csv",
    ADD + "pictures --manifest labels.csv",
    ADD + "pictures --manifest twice.csv --vectors vectors.npz",
    ADD + "pictures --vectors nowhere.npz",
    ADD + "pictures --vectors notes.txt",
    ADD + "pictures --vectors pickled.npz",
    ADD + "pictures --vectors flat.npz",
    ADD + "pictures --vectors nan.npz",
    ADD + "pictures --vectors strangers.npz",
    ADD + "pictures --fingerprint short.json",
    ADD + "pictures --vectors vectors.npz --fingerprint broken.json",
    ADD + "pictures --vectors vectors.npz --fingerprint short.json",
    PLAIN + " && " + ADD + "pictures --vectors others.npz",
    PLAIN + " && attune assets remove 0.jpg && " + PLAIN,
    PLAIN + " && attune assets remove 0.jpeg",
    ADD + "pictures --manifest odd.csv --vectors odd.npz",
    ADD + "pictures --manifest same.csv --vectors vectors.npz",
    PLAIN + " && " + MAKE + "serious --question Serious? --classes yes,no && attune labels import serious odd.tsv",
    PERFORM + "nowhere.csv",
    PERFORM + "empty-folder",
    PERFORM + "vectors.npz",
    PERFORM + "views.csv",
    PERFORM + "views.csv --map views=clicks",
    PERFORM + "views.csv --map seen=impressions",
    PERFORM + "none.csv",
    PERFORM + "takes.csv",
    PERFORM + "ftp2://host/takes.csv",
    "attune performance remove 7 --reason wrong",
    "attune features import nowhere.csv --name faces",
    "attune features import takes.csv --name faces",
    "attune features import faces.csv --name Faces!",
    "attune features import faces.csv",
    "attune features audit entropy",
    "attune features audit faces",
    "attune features measure --object Dog=dog",
    "attune features remove smiles --reason wrong",
    "attune features remove faces --reason wrong",
    "attune insights run",
    PERFORM + "takes.csv && attune insights run",
    "attune features import faces.csv && attune insights ask --feature smiles",
    "attune features import faces.csv && attune insights ask --feature faces --contrast 1:7",
    "attune features import faces.csv && attune insights ask --feature faces --contrast 1:2 --depends-on smiles",
    "attune insights goes-with",
    "attune insights show 7",
    "attune insights publish 7 --reason good",
    "attune insights test 7 --to arms.csv",
    "attune insights simulate --to pictures",
    "attune brief t1 --to brief.docx",
    "attune brief t1 --to brief.pdf",
    "attune assets remove 0.jpg",
    "attune assets list --limit 0",
    "attune asset list",
    "attune start",
    "attune assets list --workspace wrokspace",
    "attune attribute list --workspace pictures",
    MAKE + "serious --question Serious? --classes yes",
    MAKE + "serious --question Serious? --classes yes,Yes",
    MAKE + "serious --question Serious? --classes yes,unsure",
    MAKE + "serious --question Serious? --classes a,b,c,d,e,f,g,h,i,j",
    MAKE + "Serious! --question Serious? --classes yes,no",
    MAKE + "tie --question Which? --classes love,friends,no --prompt romance=kiss",
    MAKE + "tie --question Which? --classes love,friends,no --prompt kiss",
    "attune attribute show serous",
    "attune expert add ana",
    "attune expert remove ana@studio.example",
    "attune learn serious",
    "attune probes promote serious latest --reason good",
    f"{PLAIN} && {MAKE}serious --question Serious? --classes yes,no && attune batch serious && "
    "attune probes promote serious latest --reason good --override",
    "attune pull serious@champion --to probe --offline",
    "attune pull serious@latest --to probe",
    "attune demo",
    "attune config show (ATTUNE_WEB_PORT=http)",
]
# Name, secret shown (None: the right one), body.
WEBHOOKS: list[tuple[str, str | None, object]] = [
    ("no secret", "", {}),
    ("a wrong secret", "guess", {}),
    ("no body", None, b""),
    ("not JSON", None, b"action=ANNOTATION_CREATED"),
    ("a list", None, []),
    ("lists in lists, 20,000 deep", None, b"[" * 20_000),
    ("a project that is not a queue", None, {"project": 999}),
    ("a forged answer", None, {"project": 7, "annotation": {"id": 1, "completed_by": 1}, "task": {"id": 1}}),
    ("five megabytes", None, b'{"action": "' + b"x" * 5_000_000 + b'"}'),
]


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(picture(7))


def _two_posters(folder: Path) -> None:
    for number, place in enumerate(("t1", "t2")):
        (folder / place).mkdir()
        (folder / place / "poster.jpg").write_bytes(picture(7 + number))


# Put beside the two pictures of a folder that is added.
ODD_FILES: dict[str, Callable[[Path], object]] = {
    "a named pipe `p.png`": lambda folder: os.mkfifo(folder / "p.png"),
    "a socket `s.png`": lambda folder: _socket(folder / "s.png"),
    "a link `d.png` to a device": lambda folder: (folder / "d.png").symlink_to("/dev/zero"),
    "a link `l.png` to nothing": lambda folder: (folder / "l.png").symlink_to("gone.png"),
    "a link to a folder above it": lambda folder: (folder / "up").symlink_to(".."),
    "`~tmp.png`": lambda folder: _named(folder, "~tmp.png"),
    "a name of 254 characters": lambda folder: _named(folder, "a" * 250 + ".png"),
    "a name with a line break": lambda folder: _named(folder, "a\nb.png"),
    "a name that is not UTF-8": lambda folder: _named(folder, "caf\udce9.png"),
    "`t1/poster.jpg` and `t2/poster.jpg`": _two_posters,
}
# A row of a manifest beside a good one.
ODD_ROWS = {
    "percent signs": "file://{place}/pictures/a%20b.jpg",
    "a host": "file://localhost{place}/pictures/a%20b.jpg",
    "one slash, as Java writes": "file:{place}/pictures/a%20b.jpg",
    "another computer": "file://server/share/x.jpg",
    "an unknown scheme": "ftp2://server/x.jpg",
    "a chain": "simplecache::https://images.example/x.jpg",
    "a private number": "https://10.0.0.7/x.jpg",
    "a device": "/dev/zero",
}
# What --to names, and how it came there.
TARGETS: dict[str, tuple[str, Callable[[], object]]] = {
    "a new file, umask 027": ("new.csv", lambda: None),
    "a file of mode 600": ("old.csv", lambda: Path("old.csv").touch(mode=0o600)),
    "a link to a file": ("link.csv", lambda: Path("link.csv").symlink_to("real.csv")),
    "a device": ("/dev/null", lambda: None),
    "a full device": ("/dev/full", lambda: None),
    "a folder": ("pictures", lambda: None),
    "a socket": ("socket", lambda: _socket(Path("socket"))),
    "below a file": ("notes.txt/x.csv", lambda: None),
    "links in a circle": ("loop", lambda: Path("loop").symlink_to("loop")),
    "a name too long": ("x" * 256, lambda: None),
}


def page() -> str:
    """The whole page, made by trying everything."""
    parts = [OPENING, "## Commands\n\n", *_commands(), "## Paths\n\n", *_paths()]
    parts += ["\n## Images\n\n", *_images()]
    parts += ["\n## Tables, ids and vectors\n\n", *files.page(), "\n## Webhooks\n\n", *_webhooks()]
    return "".join(parts).rstrip() + "\n"


def _paths() -> Iterator[str]:
    """Odd paths, given as PATH, in a manifest, or to --to, and what became of each."""
    yield "What a path can lead to, and what Attune does. The command continues with the rest.\n\n"
    yield "| in a folder that is added, or in an asset table | what Attune does |\n|---|---|\n"
    for name, make in ODD_FILES.items():
        with _fresh_world() as place:
            make(Path("pictures"))
            yield f"| {name} | {_tidy(_became(PLAIN), place)} |\n"
    for name, row in ODD_ROWS.items():
        with _fresh_world() as place:
            Path("pictures/a b.jpg").write_bytes(picture(7))
            Path("rows.csv").write_text("uri\npictures/0.jpg\n" + row.format(place=place) + "\n")
            became = _tidy(_became(ADD + "--manifest rows.csv --vectors vectors.npz"), place)
            yield f"| `{row.format(place='/…')}` ({name}) | {became} |\n"
    yield "\n| `labels export serious --format csv --to` | exit code | message, and the file afterwards |\n"
    yield "|---|---|---|\n"
    with _fresh_world() as place:
        _one(PLAIN)
        _one(MAKE + "serious --question ? --classes yes,no")
        for name, (target, make) in TARGETS.items():
            make()
            code, said = _one(f"attune labels export serious --format csv --to {target}")
            said = " ".join(_tidy(said.rpartition("Error: ")[2], place).split())
            yield f"| `{target}` ({name}) | {code} | {said} {_there(target)} |\n".replace("x" * 256, "xxx…")


def _became(typed: str) -> str:
    """What `assets add` says of everything but the plain pictures."""
    found: dict[str, Any] = json.loads(_invoke(typed + " --json").stdout)
    kept = [f"{found['added'] - 2} added"] if found["added"] > 2 else []
    kept += [f"{count} {note}" for note, count in found["notes"].items()]
    kept += [f"refused: {one['message']}" for one in found["refusals"]]
    return "; ".join(kept) or "added"


def _there(target: str) -> str:
    """What the target is after the command: its kind, and the mode of a file."""
    path = Path(target)
    if not os.path.lexists(path) or target.startswith("/"):
        return ""
    if path.is_symlink():
        return f"(still a link to {os.readlink(path)})"
    return f"(mode {path.stat().st_mode & 0o777:o})" if path.is_file() else ""


def _commands() -> Iterator[str]:
    for typed in COMMANDS:
        code, said = _run(typed)
        yield f"`{typed}` (exit code {code})\n\n```\n{said}\n```\n\n"


def _images() -> Iterator[str]:
    from attune.models.images.decode import inspect

    yield "Attune refuses each of these by name and continues with the rest.\n\n| file | message |\n|---|---|\n"
    for name, (content, _) in images.BAD.items():
        try:
            inspect(content, name)
        except AttuneError as error:
            yield f"| `{name}` | {error} |\n"
    yield "\nUnusual, but accepted:\n\n| file | size | format | note |\n|---|---|---|---|\n"
    for name, content in images.GOOD.items():
        info = inspect(content, name)
        yield f"| `{name}` | {info.width} x {info.height} | {info.format} | {'; '.join(info.notes)} |\n"


def _webhooks() -> Iterator[str]:
    from attune.labeler.records.schema import Attribute, Expert, Queue
    from attune.labeler.records.session import writing
    from attune.labeler.web.app import create_app
    from attune.models.clock import now

    yield "A webhook starts a sync of one project and does nothing else. Nothing of its body is kept. `asked` is\n"
    yield "false if no sync was started, here because there is no Redis.\n\n"
    yield "| request | status | message |\n|---|---|---|\n"
    with tempfile.TemporaryDirectory() as folder:
        settings = workspace(Path(folder), redis_port=1)
        with writing(settings) as session:
            attribute = Attribute(name="serious", question="?", classes=["yes", "no"], created_at=now())
            expert = Expert(email="ana@studio.example", name="ana", added_at=now())
            session.add_all([attribute, expert])
            session.flush()
            session.add(Queue(attribute_id=attribute.id, expert_id=expert.id, project=7, view=1, created_at=now()))
        app = create_app(settings)
        right = app.extensions["attune"].secrets.hint_secret
        for name, secret, body in WEBHOOKS:
            headers = {"X-Attune-Secret": right if secret is None else secret}
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            reply = app.test_client().post("/webhooks/label-studio", data=content, headers=headers)
            said = reply.get_json()
            text = said.get("message") or json.dumps(said)
            yield f"| {name} | {reply.status_code} | {text} |\n"
        engine(settings.records_url).dispose()


def _run(typed: str) -> tuple[int, str]:
    """The exit code and the words of the last of the commands, all of them tried in one fresh world."""
    with _fresh_world() as place:
        code, said = 0, ""
        for one in typed.split(" && "):
            code, said = _one(one)
        return code, _tidy(said, place)


def _one(typed: str) -> tuple[int, str]:
    done = _invoke(typed)
    if isinstance(done.exception, AttuneError):  # main() says it so
        return consequence(type(done.exception)).exit_code, f"attune: {done.exception}"
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stderr.strip() if done.exit_code else done.output.strip()


def _invoke(typed: str) -> Result:
    command, _, setting = typed.partition(" (")
    environment = {"ATTUNE_WORKSPACE": "workspace", "HF_HUB_OFFLINE": "1", "COLUMNS": "110"}
    environment |= {"ATTUNE_REDIS_PORT": "1", "ATTUNE_LABEL_STUDIO_PORT": "1"}
    if setting:
        name, _, value = setting.rstrip(")").partition("=")
        environment[name] = value
    runner = CliRunner(env={**{name: None for name in os.environ if name.startswith("ATTUNE_")}, **environment})
    return runner.invoke(attune, command.split()[1:], standalone_mode=True)


@contextmanager
def _fresh_world() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        _world()
        umask = os.umask(0o027)
        try:
            yield Path(folder).resolve()
        finally:
            os.umask(umask)
            engine(f"sqlite:///{Path(folder) / 'workspace' / 'records.sqlite'}").dispose()


REPLACED = [(r"\b20\d\d-\d\d-\d\d\b", "2026-03-01"), (r"\b[0-9a-f]{12,64}\b", "DIGEST"), (r"[ \t]+\n", "\n")]


def _tidy(said: str, place: Path) -> str:
    """Without what differs from run to run and from machine to machine."""
    import re

    for path in (str(place), str(place.parent)):
        said = said.replace(path, "…")
    for pattern, by in REPLACED:
        said = re.sub(pattern, by, said)
    return said


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} has {len(COMMANDS)} commands and {len(images.BAD)} images\n")
