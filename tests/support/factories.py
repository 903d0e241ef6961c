"""Fill the records as the loop would leave them, without running it: each function adds rows and returns them."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import alembic
import numpy as np
import sqlalchemy
from PIL import Image, ImageDraw
from sqlalchemy import func, make_url, select, update

from attune.labeler import settings as reader
from attune.labeler.label_studio.task_address import Address
from attune.labeler.people import users
from attune.labeler.people.users import Person
from attune.labeler.records.schema import (
    Alias,
    Annotation,
    AnnotationEvent,
    Asset,
    Attribute,
    AttributeRevision,
    Expert,
    Job,
    Promotion,
    Queue,
    Run,
    Task,
    Version,
)
from attune.labeler.records.session import MIGRATIONS, engine, migrate, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.files.atomic import digest_bytes, write_bytes

PASSWORD = "four unrelated plain words"
_unique = itertools.count(1000)


def workspace(folder: Path, **arguments: Any) -> Settings:
    """Settings of a fresh workspace in ``folder``, its records at the newest schema."""
    made = reader.build({}, workspace=folder, **arguments)
    newest(made)
    return made


def newest(settings: Settings) -> None:
    """Records at the newest schema; where there are none yet they are copied, as migrations take long."""
    kept = make_url(settings.records_url)
    if not kept.drivername.startswith("sqlite") or not kept.database or Path(kept.database).exists():
        migrate(settings)
        return
    settings.workspace.mkdir(parents=True, exist_ok=True)
    Path(kept.database).write_bytes(_newest())


@cache
def _newest() -> bytes:
    """Made once for all processes and runs, and again where a migration or what makes tables of it changed: alembic
    takes a second for them."""
    folder = Path(__file__).parent / "__pycache__" / "records"  # beside what Python keeps, which git leaves alone
    makers = f"{alembic.__version__} {sqlalchemy.__version__} {sqlite3.sqlite_version}".encode()
    digest = digest_bytes(b"".join([makers, *(path.read_bytes() for path in sorted(MIGRATIONS.rglob("*.py")))]))
    kept = folder / f"{digest[:16]}.sqlite"
    if not kept.exists():
        with suppress(OSError):  # without a folder each process makes its own
            folder.mkdir(parents=True, exist_ok=True)
            for old in set(folder.glob("*.sqlite")) - {kept}:  # not what another process is about to write
                old.unlink(missing_ok=True)
            write_bytes(kept, _migrated())
    return kept.read_bytes() if kept.exists() else _migrated()


def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        made = reader.build({}, workspace=folder)
        migrate(made)
        engine(made.records_url).dispose()  # folds the write-ahead log into the file
        return Path(str(make_url(made.records_url).database)).read_bytes()


def picture(number: int, size: tuple[int, int] = (240, 320)) -> bytes:
    """A small JPEG that no other number has."""
    generator = np.random.default_rng(number)
    base, other = (tuple(int(x) for x in generator.integers(30, 226, 3)) for _ in range(2))
    image = Image.new("RGB", size, base)
    draw = ImageDraw.Draw(image)
    width, height = size
    for _ in range(3):
        x, y, r = generator.uniform(0, width), generator.uniform(0, height), generator.uniform(20, width / 2)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=other)
        other = tuple(255 - int(part) for part in other)
    out = BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def add_assets(settings: Settings, count: int, images: bool = False, per_title: int = 2) -> list[Asset]:
    """``count`` assets, ``per_title`` to a title; with ``images`` the files are there too.

    Of pairs the first may stand alone: what a test says of more to a title needs all of them.
    """
    rows = []
    first = next(number for number in _unique if number % per_title == 0 or per_title == 2)
    for number in (first, *(next(_unique) for _ in range(count - 1)))[:count]:
        size = (240, 320) if number % 3 else (360, 200)
        content = picture(number, size) if images else str(number).encode()
        path = settings.workspace / "images" / f"img-{number}.jpg"
        if images:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        rows.append(
            Asset(
                asset_id=f"img-{number}",
                title_id=f"title-{number // per_title}",
                uri=str(path),
                digest=digest_bytes(content),
                width=size[0],
                height=size[1],
                added_at=now(),
            )
        )
    return _add(settings, rows)


def add_attribute(settings: Settings, name: str = "romance", **columns: Any) -> Attribute:
    """An attribute at revision 1: three classes unless told otherwise."""
    values: dict[str, Any] = {
        "question": "Romance, friendship, or neither?",
        "classes": ["romance", "friendship", "neither"],
        "definition": "What the people in the picture are to each other, as a stranger would read it.",
        "created_at": now(),
        **columns,
    }
    (made,) = _add(settings, [Attribute(name=name, **values)])
    _add(settings, [AttributeRevision(attribute_id=made.id, revision=1, content={}, created_at=now())])
    return made


def add_expert(settings: Settings, email: str = "ana@example.org", name: str | None = None) -> Expert:
    """An expert without a login or a queue."""
    columns = {"email": email, "name": name or email.partition("@")[0].capitalize(), "added_at": now()}
    (made,) = _add(settings, [Expert(label_studio_user=next(_unique), **columns)])
    return made


def add_user(
    settings: Settings, email: str, role: str, expert: Expert | None = None, password: str = PASSWORD
) -> Person:
    """A login of the console."""
    return users.create(settings, email, role, password, expert.id if expert else None)


def add_queue(settings: Settings, attribute: Attribute, expert: Expert) -> Queue:
    """The expert's queue for the attribute."""
    project, view = next(_unique), next(_unique)
    row = Queue(attribute_id=attribute.id, expert_id=expert.id, project=project, view=view, created_at=now())
    return _add(settings, [row])[0]


def add_task(settings: Settings, queue: Queue, asset: Asset, purpose: str = "borderline", **columns: Any) -> Task:
    """An open task."""
    values: dict[str, Any] = {
        "utility": 0.5,
        "reason": "The probe could not decide between two answers.",
        "inclusion": 0.25 if purpose == "audit" else None,
        "run": 1,
        "created_at": now(),
        **columns,
    }
    row = Task(queue_id=queue.id, asset_pk=asset.id, label_studio_task=next(_unique), purpose=purpose, **values)
    return _add(settings, [row])[0]


def stand(settings: Settings, task: Task, address: Address) -> None:
    """Record where Label Studio has a task, as a round does."""
    with writing(settings) as session:
        row = session.get_one(Task, task.id)
        row.label_studio_task, row.key = address.task, address.key


def add_answer(
    settings: Settings,
    queue: Queue,
    asset: Asset,
    value: str,
    purpose: str = "borderline",
    at: datetime | None = None,
    **columns: Any,
) -> Annotation:
    """A task of the queue that its expert has answered with ``value``."""
    with reading(settings) as session:
        task = session.scalar(select(Task).where(Task.queue_id == queue.id, Task.asset_pk == asset.id))
    task = task or add_task(settings, queue, asset, purpose)
    at = at or now()
    with writing(settings) as session:
        session.execute(update(Task).where(Task.id == task.id).values(state="answered"))
        session.execute(
            update(Attribute)
            .where(Attribute.id == queue.attribute_id)
            .values(answers_counter=Attribute.answers_counter + 1)
        )
    row = Annotation(
        label_studio_id=next(_unique),
        attribute_id=queue.attribute_id,
        task_id=task.id,
        label_studio_task=task.label_studio_task,
        asset_pk=asset.id,
        expert_id=queue.expert_id,
        value=value,
        purpose=task.purpose,
        inclusion=task.inclusion,
        answered_at=at,
        updated_at=at,
        received_at=at,
        **{"revision": 1, "lead_seconds": 2.0, **columns},
    )
    (made,) = _add(settings, [row])
    event = {"annotation_id": made.id, "kind": "created", "value": value, "updated_at": at, "received_at": at}
    _add(settings, [AnnotationEvent(via="webhook", **event)])
    return made


def metric(name: str, value: float | None, half: float = 0.08, n: int = 60, **columns: Any) -> dict[str, Any]:
    """A metric as a run keeps it; None is one that cannot be told yet."""
    if value is None:
        reason = "1 positive and 9 negative answers, at least 3 of each are needed"
        return {
            "name": name,
            "value": None,
            "lo": None,
            "hi": None,
            "n": n,
            "method": "test",
            "reason": reason,
            **columns,
        }
    lo, hi = max(0.0, value - half), min(1.0, value + half)
    return {"name": name, "value": value, "lo": lo, "hi": hi, "n": n, "method": "test", "reason": "", **columns}


def add_run(
    settings: Settings,
    attribute: Attribute,
    answers: int,
    quality: float | None = 0.8,
    half: float = 0.08,
    advice: dict[str, Any] | None = None,
    **columns: Any,
) -> Run:
    """The next run of the attribute, with an audit figure (None: too few audit answers) and the naive one."""
    with reading(settings) as session:
        newest = session.scalar(select(func.max(Run.number)).where(Run.attribute_id == attribute.id)) or 0
    naive = None if quality is None else max(0.0, quality - 0.12)
    metrics = {
        "average_precision": metric("average_precision", quality, half, n=answers // 4),
        "cross_validated": metric("cross_validated_average_precision", naive, half, answers, biased=True),
    }
    values: dict[str, Any] = {
        "revision": 1,
        "token": 1,
        "encoder_digest": "e" * 64,
        "answers_counter": answers,
        "labels": {},
        "seed": 0,
        "data_digest": "d" * 64,
        "code_version": "test",
        "metrics": metrics,
        "advice": advice or {},
        "probe": b"",
        "started_at": now(),
        "finished_at": now(),
        **columns,
    }
    return _add(settings, [Run(attribute_id=attribute.id, number=newest + 1, answers=answers, **values)])[0]


def publish(settings: Settings, run: Run, alias: str = "champion", reason: str = "Better on the audit.") -> Version:
    """Make a run's probe a version, point ``alias`` to it and write the history's line."""
    with writing(settings) as session:
        held = session.scalar(select(Alias).where(Alias.attribute_id == run.attribute_id, Alias.alias == alias))
        before = held.version if held else None
        if held is None:
            session.add(Alias(attribute_id=run.attribute_id, alias=alias, version=run.number))
        else:
            held.version = run.number
        line = {"at": now(), "who": "olga@example.org", "action": "promote", "alias": alias, "reason": reason}
        session.add(Promotion(attribute_id=run.attribute_id, version=run.number, before=before, **line))
    digest = digest_bytes(f"{run.attribute_id}/{run.number}".encode())
    columns = {"version": run.number, "manifest": {}, "digest": digest, "created_at": now()}
    return _add(settings, [Version(attribute_id=run.attribute_id, run_id=run.id, **columns)])[0]


def add_job(settings: Settings, kind: str, state: str, **columns: Any) -> Job:
    """A job in the records."""
    values: dict[str, Any] = {"id": f"{kind}-{next(_unique):016x}", "arguments": {}, "created_at": now(), **columns}
    return _add(settings, [Job(kind=kind, state=state, **values)])[0]


def add_studio(settings: Settings, images: bool = True) -> dict[str, Attribute]:
    """A workspace in full swing: four attributes in different states, three experts who disagree here and there."""
    rng = np.random.default_rng(7)
    assets = add_assets(settings, 60, images)
    experts = [add_expert(settings, f"{name}@example.org") for name in ("ana", "bo", "chidi")]
    serious = add_attribute(
        settings,
        "serious-expression",
        question="Is the expression serious?",
        classes=["serious", "not serious"],
        definition="The main face, seen alone, is grave or stern. A neutral face at rest is not serious.",
        in_scope=["A stare into the camera with the mouth closed and set", "Grief or anger that is held back"],
        out_of_scope=["A neutral face, as in a passport photograph", "A smile with closed lips"],
    )
    romance = add_attribute(settings, "romance")
    dread = add_attribute(
        settings, "dread", question="Does the picture promise dread?", classes=["dread", "none"], definition=""
    )
    tender = add_attribute(settings, "tender", question="Is the scene tender?", classes=["tender", "not tender"])
    queues = {(a.name, e.name): add_queue(settings, a, e) for a in (serious, romance, tender) for e in experts}
    _label(settings, rng, queues, serious, assets[:44], experts, 0.12)
    _label(settings, rng, queues, romance, assets[:16], experts[:2], 0.15)
    _label(settings, rng, queues, tender, assets[:20], experts, 0.5)
    for answers, quality in zip(range(10, 126, 6), np.linspace(0.42, 0.86, 20), strict=True):
        add_run(settings, serious, answers, float(quality), 0.5 / np.sqrt(answers / 4))
    advice = {
        "state": "settled",
        "advice": "More answers would hardly change this probe.",
        "evidence": {"labels": 99.0, "movement": 0.012, "movement_before": 0.015, "width": 0.16, "alpha": None},
        "stop": True,
        "audits": {"trained": 99, "owed": 33.0, "share": 0.1, "why": "Labels still buy more.", "drawn": 33, "left": 90},
        "outlook": {
            "answers": 132,
            "diversity": 0.46,
            "regions": [
                {"share": 0.18, "labels": 0, "positive": 0.0, "examples": [one.asset_id for one in assets[46:52]]},
                {"share": 0.11, "labels": 2, "positive": 1.0, "examples": [one.asset_id for one in assets[52:58]]},
            ],
        },
    }
    last = add_run(settings, serious, 132, 0.87, 0.08, advice)
    publish(settings, last, reason="First version: 0.87 on the audit, reviewed with Ana.")
    add_run(settings, romance, 24, None)
    hopeless = {
        "state": "hopeless",
        "advice": "Experts agree no more than by chance (alpha .04). Rewrite the definition before asking further.",
        "evidence": {"alpha": 0.04, "contested images": 11},
    }
    add_run(settings, tender, 60, 0.31, 0.2, hopeless)
    add_job(settings, "embed", "running", done=740, total=1500, arguments={"batch": 12})
    add_job(settings, "learn", "queued", arguments={"attribute": "romance"})
    add_job(
        settings,
        "learn",
        "done",
        arguments={"attribute": "serious-expression"},
        finished_at=now() + timedelta(seconds=1.4),
    )
    add_job(settings, "publish", "failed", arguments={"attribute": "tender"}, error="Gate alpha: .04 is below .2.")
    return {one.name: one for one in (serious, romance, dread, tender)}


def _label(
    settings: Settings,
    rng: np.random.Generator,
    queues: dict[tuple[str, str], Queue],
    attribute: Attribute,
    assets: Sequence[Asset],
    experts: Sequence[Expert],
    noise: float,
) -> None:
    purposes = ["borderline", "audit", "likely", "spread"]
    for index, asset in enumerate(assets):
        truth = attribute.classes[int(rng.integers(len(attribute.classes)))]
        for one, expert in enumerate(experts):
            value = str(rng.choice(attribute.classes)) if rng.random() < noise else truth
            value = "unsure" if rng.random() < 0.03 else "skip" if rng.random() < 0.03 else value
            at = now() - timedelta(minutes=7 * (len(assets) - index) + one)
            add_answer(settings, queues[attribute.name, expert.name], asset, value, purposes[index % 4], at)


def _add(settings: Settings, rows: Sequence[Any]) -> Any:
    with writing(settings) as session:
        session.add_all(rows)
    return list(rows)
