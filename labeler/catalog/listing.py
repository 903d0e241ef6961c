"""What the catalog offers: versions and candidates of an attribute, figures side by side, what a reference means."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypedDict

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog.aliases import aliases_of, drafts_of, is_draft
from attune.labeler.catalog.evidence_cache import difference
from attune.labeler.catalog.run_facts import find_run
from attune.labeler.records.cache import Remembered
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Alias, Attribute, Promotion, Run, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION, Reference
from attune.models.clock import iso
from attune.models.errors import RetiredVersion, UnknownProbe

CANDIDATES = 5
# Built once: pipelines ask for nothing as often as what an alias means, and building takes longer than running.
_PUBLISHED = (
    select(Version.version, Version.digest, Version.retired_at, Version.attribute_id)
    .join(Attribute, Attribute.id == Version.attribute_id)
    .where(Attribute.name == bindparam("name"))
)
_BY_VERSION = _PUBLISHED.where(Version.version == bindparam("ref"))
_BY_ALIAS = _PUBLISHED.join(
    Alias, and_(Alias.attribute_id == Version.attribute_id, Alias.version == Version.version)
).where(Alias.alias == bindparam("ref"))
_resolved: Remembered[tuple[int, str]] = Remembered()


class Figure(TypedDict):
    """A metric's value, interval, n and, where there is no value, the reason."""

    value: float | None
    lo: float | None
    hi: float | None
    n: int | None
    reason: str | None


class Summary(TypedDict):
    """An attribute and what is published of it."""

    attribute: str
    question: str
    classes: list[str]
    aliases: dict[str, int]
    versions: list[int]
    drafts: Annotated[list[int], "The `versions` that were published as drafts: a class had no answers."]
    newest: Annotated[int | None, "The newest run, published or not."]
    answers: int
    average_precision: Figure


def overview(settings: Settings) -> list[Summary]:
    """One row per attribute, by name: aliases, versions that are served, newest run, and how good the champion is."""
    with reading(settings) as session:
        return [_summary(session, attribute) for attribute in attributes.every(session)]


def published(settings: Settings, page: int = 1, size: int = 100) -> Page[Summary]:
    """One page of those attributes that have a version, as ``overview`` tells them."""
    with reading(settings) as session:
        served = select(Version.attribute_id).where(Version.retired_at.is_(None))
        query = select(Attribute).where(Attribute.id.in_(served)).order_by(Attribute.name)
        return page_of(session, query, page, size).map(lambda attribute: _summary(session, attribute))


def versions(settings: Settings, attribute: str, candidates: int = CANDIDATES) -> dict[str, Any]:
    """Published and retired versions and the newest ``candidates``, newest first. Raises UnknownAttribute.

    Each with version, state (candidate, published, retired), draft, aliases, average_precision, answers, created_at.
    """
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        aliases = aliases_of(session, found)
        published = {
            row.version: row for row in session.scalars(select(Version).where(Version.attribute_id == found.id))
        }
        newest = (
            select(Run.number)
            .where(Run.attribute_id == found.id, Run.number.not_in(published))
            .order_by(Run.number.desc())
            .limit(candidates)
        )
        numbers = [*published, *session.scalars(newest)]
        # Columns, not rows: a run carries its probe, and a list needs none of them.
        columns = (Run.number, Run.answers, Run.metrics, Run.finished_at)
        runs = session.execute(
            select(*columns).where(Run.attribute_id == found.id, Run.number.in_(numbers)).order_by(Run.number.desc())
        )
        rows = [_row(run, published.get(run.number), aliases) for run in runs]
    return {"attribute": attribute, "aliases": aliases, "versions": rows}


def resolve(settings: Settings, reference: Reference) -> tuple[int, str]:
    """The published version that a reference means, and the sha256 of its manifest.

    Raises UnknownProbe (also for an attribute that is not there: the outside knows it as a probe), RetiredVersion.
    """
    return _resolved.get(settings.records_url, reference, lambda: _resolve(settings, reference))


def _resolve(settings: Settings, reference: Reference) -> tuple[int, str]:
    query = _BY_ALIAS if reference.version is None else _BY_VERSION
    asked = {"name": reference.name, "ref": reference.version or reference.ref}
    with reading(settings) as session:
        row = session.execute(query, asked).one_or_none()
        if row is None:
            raise UnknownProbe(_what_there_is(session, reference))
        if row.retired_at is not None:
            why = _why_retired(session, row.attribute_id, row.version)
            raise RetiredVersion(
                f"{reference.name} version {row.version} was retired at {iso(row.retired_at)} ({why}). Use "
                f"{reference.name}@{CHAMPION} or another version."
            )
        return row.version, row.digest


def _why_retired(session: Session, attribute_id: int, version: int) -> str:
    lines = select(Promotion.reason).where(
        Promotion.attribute_id == attribute_id, Promotion.version == version, Promotion.action == "retire"
    )
    return session.scalar(lines.order_by(Promotion.id.desc()).limit(1)) or "no reason recorded"


def compare(settings: Settings, attribute: str, a: str | int, b: str | int) -> dict[str, Any]:
    """Two versions or candidates side by side, and their paired difference on the same audit answers.

    Raises UnknownAttribute, UnknownProbe.
    """
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        runs = [find_run(session, found, version) for version in (a, b)]
        aliases = aliases_of(session, found)
    paired = difference(settings, attribute, runs[0], runs[1])
    return {
        "attribute": attribute,
        "versions": [
            {
                "version": run.number,
                "aliases": [alias for alias, version in aliases.items() if version == run.number],
                "answers": run.answers,
                "created_at": iso(run.finished_at),
                "metrics": {name: figure(metric) for name, metric in run.metrics.items()},
            }
            for run in runs
        ],
        "difference": {**figure(paired.to_dict()), "method": paired.method},
    }


def figure(metric: Mapping[str, Any] | None) -> Figure:
    """What the API says of a metric; all is None where there is none."""
    held = metric or {}
    return Figure(
        value=held.get("value"), lo=held.get("lo"), hi=held.get("hi"), n=held.get("n"), reason=held.get("reason")
    )


def _row(run: Any, version: Version | None, aliases: dict[str, int]) -> dict[str, Any]:
    state = "candidate" if version is None else "published" if version.retired_at is None else "retired"
    return {
        "version": run.number,
        "state": state,
        "draft": version is not None and is_draft(version),
        "aliases": [alias for alias, number in aliases.items() if number == run.number],
        "average_precision": figure(run.metrics.get("average_precision")),
        "answers": run.answers,
        "created_at": iso(run.finished_at),
        "published_at": iso(version.created_at) if version else None,
        "retired_at": iso(version.retired_at) if version and version.retired_at else None,
        "scored_at": iso(version.scored_at) if version and version.scored_at else None,
        "digest": version.digest if version else None,
    }


def _summary(session: Session, attribute: Attribute) -> Summary:
    aliases = aliases_of(session, attribute)
    runs = select(Run.number, Run.answers, Run.metrics).where(Run.attribute_id == attribute.id)
    newest = session.execute(runs.order_by(Run.number.desc()).limit(1)).one_or_none()
    champion = session.execute(runs.where(Run.number == aliases.get(CHAMPION, 0))).one_or_none()
    served = session.scalars(
        select(Version.version)
        .where(Version.attribute_id == attribute.id, Version.retired_at.is_(None))
        .order_by(Version.version)
    ).all()
    drafts = drafts_of(session, attribute.id)
    return {
        "attribute": attribute.name,
        "question": attribute.question,
        "classes": attribute.classes,
        "aliases": aliases,
        "versions": list(served),
        "drafts": [number for number in served if number in drafts],
        "newest": newest.number if newest else None,
        "answers": newest.answers if newest else 0,
        "average_precision": figure(champion.metrics.get("average_precision") if champion else None),
    }


def _what_there_is(session: Session, reference: Reference) -> str:
    attribute_id = session.scalar(select(Attribute.id).where(Attribute.name == reference.name))
    if attribute_id is None:
        served = select(Attribute.name).join(Version, Version.attribute_id == Attribute.id).distinct()
        names = list(session.scalars(served.order_by(Attribute.name)))
        near = get_close_matches(reference.name, names, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        return f"The probe {reference.name!r} does not exist.{meant} Existing probes: {', '.join(names) or 'none yet'}."
    numbers = session.scalars(
        select(Version.version)
        .where(Version.attribute_id == attribute_id, Version.retired_at.is_(None))
        .order_by(Version.version.desc())
        .limit(5)
    )
    aliases = session.scalars(select(Alias.alias).where(Alias.attribute_id == attribute_id).order_by(Alias.alias))
    return (
        f"{reference.name} has no published version {reference.ref!r}. Newest versions: "
        f"{', '.join(map(str, numbers)) or 'none yet'}. Aliases: {', '.join(aliases) or 'none yet'}. An owner "
        f"can publish one: `attune probes promote {reference.name} VERSION --reason R`"
    )
