"""Performance as pages show it: the imports, and what became of a file that somebody sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attune.labeler.assets import uploads
from attune.labeler.jobs import failures, jobs
from attune.labeler.performance import imports, uploaded
from attune.labeler.performance.columns import ARMS, DOUBLED, FAULTS, FIELDS, REQUIRED, SHAPE
from attune.labeler.performance.faults import Fault
from attune.labeler.performance.simulated import any_simulated
from attune.labeler.performance.uploaded import Preview
from attune.labeler.records.schema import Job, PerformanceImport
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import UnknownUpload
from attune.models.insights.within_title import LEAST_TITLES
from attune.models.text import counted, number

ABOUT = dict((*FAULTS, DOUBLED, SHAPE))
MIXED = (
    "Simulated beside measured: some imports are simulated, nobody measured them. New answers rest on all imports "
    "together, so each of them would be partly made up. Remove the simulated imports before you answer the questions "
    "again."
)
# field -> what a person calls it, and what it says
WORDS: Mapping[str, tuple[str, str]] = {
    "asset_id": ("Image", "the id of the image"),
    "title_id": ("Title", "the film or series that it belongs to"),
    "canvas": ("Canvas", "the place where it was shown, such as home"),
    "impressions": ("Impressions", "how often it was shown"),
    "takes": ("Takes", "how often somebody then chose the title"),
    "country": ("Country", ""),
    "device": ("Device", ""),
    "member_cluster": ("Member group", ""),
    "arm": ("Arm", "explore (shown at random) or serve (chosen by something)"),
    "propensity": ("Propensity", "the chance that this image had of being shown"),
    "period_start": ("Period from", "a time in UTC"),
    "period_end": ("Period to", "a time in UTC"),
}


@dataclass(frozen=True)
class Field:
    """A field of the form; ``columns`` may hold it, ``chosen`` is proposed. ``needed`` of each file."""

    name: str
    title: str
    about: str
    chosen: str
    needed: bool
    fixed: bool  # a column has the field's own name, and is read in any case


@dataclass(frozen=True)
class Canvas:
    """What a canvas has for insights: ``titles`` of which two images can be compared, and whether they are enough."""

    name: str
    titles: int
    impressions: int
    enough: bool


@dataclass(frozen=True)
class FilePage:
    """A file that came: to be asked about (``preview``), at work, or imported as ``row``.

    ``arm`` and ``one_chance`` are what it was asked with before.
    """

    ticket: str
    state: str = ""
    error: str = ""
    done: int = 0
    total: int = 0
    waits: bool = False
    preview: Preview | None = None
    fields: Sequence[Field] = ()
    arm: str = ""
    one_chance: bool = False
    row: PerformanceImport | None = None
    again: bool = False
    faults: Sequence[str] = ()
    canvases: Sequence[Canvas] = ()
    advice: Sequence[str] = field(default=())
    warnings: Sequence[str] = ()  # what makes insights wrong or weak, unless somebody acts
    flagged: Sequence[Mapping[str, Any]] = ()  # the worst random tests that did not show images as planned
    flagged_all: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the page is to be looked at again by itself."""
        return self.state in ("queued", "running")


def mixes(there: Sequence[PerformanceImport]) -> bool:
    """Whether simulated rows count beside measured ones, so that every new answer is partly made up."""
    return any_simulated(there) and not all(any_simulated([row]) for row in there)


def listed(settings: Settings) -> tuple[Sequence[PerformanceImport], Sequence[PerformanceImport]]:
    """The imports that count and those that were removed, both with the newest first."""
    with reading(settings) as session:
        rows = imports.listed(session)
    return [row for row in rows if row.removed_at is None], [row for row in rows if row.removed_at is not None]


def file_page(settings: Settings, person: int, ticket: str, given: Mapping[str, str] | None = None) -> FilePage:
    """What is known of a file; ``given``: what the form said that comes back. Raises UnknownUpload, DataError."""
    folder = uploads.folder_of(settings, person, ticket)
    with reading(settings) as session:
        job = session.get(Job, uploads.job_of(folder) or "")
    if job is not None and job.kind != uploaded.KIND:
        raise UnknownUpload(uploads.GONE)
    if job is not None and job.state == "done":
        return _imported(settings, ticket, job.result or {})
    if job is not None and job.state not in ("failed", "lost"):
        waits = job.state == "queued" and not jobs.workers_alive(settings, uploaded.KIND)
        return FilePage(ticket, job.state, "", job.done, job.total, waits)
    shown = uploaded.preview(settings, person, ticket)
    before = given if given is not None else _chosen(job)
    error = failures.shown(job.id, job.error) if job is not None and given is None else ""
    asked = job.arguments if job is not None else {}
    return FilePage(
        ticket, job.state if job is not None else "", error, preview=shown, fields=_fields(shown, before),
        arm=str(asked.get("arm", "")), one_chance=bool(asked.get("one_chance")),
    )  # fmt: skip


def _chosen(job: Job | None) -> dict[str, str]:
    """What a job that failed was asked with, so that one column can be changed."""
    pairs = [text.rpartition("=") for text in job.arguments.get("maps", ())] if job is not None else []
    return {name: column for column, _, name in pairs}


def _fields(shown: Preview, before: Mapping[str, str]) -> list[Field]:
    chosen = before or shown.proposed
    return [Field(name, *WORDS[name], chosen.get(name, ""), name in REQUIRED, name in shown.columns) for name in FIELDS]


def _imported(settings: Settings, ticket: str, result: Mapping[str, Any]) -> FilePage:
    with reading(settings) as session:
        row, there = session.get(PerformanceImport, int(result["import"])), imports.active(session)
    if row is None:
        raise UnknownUpload(uploads.GONE)
    checks = result["checks"]
    canvases = [
        Canvas(one["canvas"], one["comparable"], one["impressions"], one["enough"]) for one in checks["canvases"]
    ]
    return FilePage(
        ticket, "done", row=row, again=bool(result["again"]), faults=faults_of(row), canvases=canvases,
        advice=_advice(row, checks), warnings=_warnings(checks, there),
        flagged=checks["sample_ratio"]["worst"], flagged_all=checks["sample_ratio"]["flagged"],
    )  # fmt: skip


def _warnings(checks: Mapping[str, Any], there: Sequence[PerformanceImport]) -> list[str]:
    """What is wrong with all imports together."""
    told = [MIXED] if mixes(there) else []
    ratio = checks["sample_ratio"]
    if ratio["flagged"]:
        told.append(
            f"{number(ratio['flagged'])} of {number(ratio['tested'])} random tests (a title on a canvas each) did not "
            "show their images in the planned ratio. At random, the images of a title are shown as often as planned "
            "(equally, unless the file says otherwise). Insights leave these tests out. If there are too many, no "
            "image counts as shown at random. Ask whoever runs the tests why."
        )
    return told


def faults_of(row: PerformanceImport) -> list[str]:
    """Why rows of an import were left out, in sentences."""
    return [
        Fault(reason, told["rows"], tuple(told["examples"]), ABOUT.get(reason, reason)).text
        for reason, told in row.faults.items()
    ]


def _advice(row: PerformanceImport, checks: Mapping[str, Any]) -> list[str]:
    """What a person should know before insights are read."""
    told = []
    if "arm" not in row.options["columns"] and row.options["arm"] != ARMS[0]:
        best = "B" if imports.has_one_chance(row) else "C"
        told.append(
            f"The file does not say that images were shown at random, so no insight of it has a grade above {best}."
        )
    if any_simulated([row]):
        told.append("Its rows are simulated: nobody measured them. Insights that rest on them say so.")
    few = [one["canvas"] for one in checks["canvases"] if not one["enough"]]
    if few:
        told.append(
            f"Too few titles on {', '.join(few[:5])}{' and more' if len(few) > 5 else ''} for a figure of its own: it "
            f"takes {LEAST_TITLES} titles with two images that were shown and taken."
        )
    if missing := checks["assets"] - checks["assets_here"]:
        named = checks.get("assets_unknown", [])  # a job of before tells none
        names = f": {', '.join(named)}{' and more' if missing > len(named) else ''}" if named else ""
        told.append(
            f"Of {counted(checks['assets'], 'image')}, {number(missing)} {'is' if missing == 1 else 'are'} not in the "
            f"pool{names}. Their rows count, without a picture. If they should be in the pool, compare how the ids "
            "are written."
        )
    return told
