"""Features that Attune did not make: a file of asset_id and value, kept as a version that never changes.

Assets need no image: they take part by their ids, as those of imported performance do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.measured import objects
from attune.labeler.performance.duck import connection, literal, parquet
from attune.labeler.performance.faults import Fault, fault_of, rejected_rows, shape_fault, summary
from attune.labeler.performance.source import Source, open_source
from attune.labeler.records.schema import Attribute, ImportedFeature
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import NAME
from attune.models.clock import now
from attune.models.errors import DataError, UnknownFeature
from attune.models.files.atomic import digest_file

COLUMNS = ("asset_id", "value")
MOST_CLASSES = 20
LONGEST = 80  # characters of a class
LONGEST_MEANING = 300
GONE = ""  # in place of a file: the version that says who removed the feature, and as its source why
FIRST = ("1", "true", "yes", "y", "t")  # of two classes, the one that is asked about
ABOUT = {
    "no asset_id": "it has no asset_id",
    "no value": "it has no value",
    "two values": "another row gives its image another value, so no row of that image counts",
}


@dataclass(frozen=True)
class Imported:
    """``row`` is the record; ``again``: the newest version of this name has the same values, and nothing changed.
    ``faults``: the rows that were left out."""

    row: ImportedFeature
    faults: tuple[Fault, ...]
    again: bool = False


def add(settings: Settings, place: str, name: str, who: str = "", means: str = "") -> Imported:
    """Import the CSV or Parquet file at ``place``, a path or an address, as the next version of the feature ``name``.

    ``means`` says what the feature means, in a sentence; without one a new version keeps that of the last.

    Values are numbers where all of them are, and more than two are different; else classes. Raises DataError where the
    file cannot be read, has other columns, no usable row or too many classes: then nothing is kept.
    """
    _check_name(settings, name)
    means = meaning(means)
    with connection(settings) as (duck, folder):
        source = open_source(settings, place, folder, duck)
        try:
            faults = _read(duck, source)
            classes = _classes(duck, source.name, faults)
        except duckdb.Error as error:
            raise DataError(
                f"{source.name} cannot be read to its end. It may be damaged. Write it again as CSV (UTF-8) or Parquet."
            ) from error
        path = folder / "feature.parquet"
        value = "value" if classes else "value::DOUBLE AS value"
        duck.execute(f"COPY (SELECT asset_id, {value} FROM kept ORDER BY asset_id) TO {literal(str(path))}")
        (rows,) = duck.execute("SELECT count(*) FROM kept").fetchall()[0]
        digest = _keep(settings, path)
    row = ImportedFeature(
        name=name, classes=classes, rows=rows, faults=summary(faults), file=digest, source=place, added_by=who,
        added_at=now(), means=means,
    )  # fmt: skip
    return _record(settings, row, tuple(faults))


def _check_name(settings: Settings, name: str) -> None:
    if not NAME.fullmatch(name):
        raise DataError(
            f"{name[:80]!r} is not a name of a feature. Use up to 40 small letters, digits, - and _: "
            "--name question-mark"
        )
    with reading(settings) as session:
        if session.scalar(select(Attribute.id).where(Attribute.name == name)) is not None:
            raise DataError(f"An attribute is called {name} already. Choose another name: --name {name}-imported")
    if objects.find(settings, name) is not None:
        raise DataError(f"An object by words is called {name} already. Choose another name: --name {name}-imported")


def _read(duck: duckdb.DuckDBPyConnection, source: Source) -> list[Fault]:
    """Put one row for each good asset into the table ``kept``; the faults of the others."""
    missing = [column for column in COLUMNS if column not in source.columns]
    if missing:
        has = ", ".join(source.columns[:15])
        raise DataError(
            f"{source.name} has no column {' and no column '.join(missing)}. It has {has}. A feature's file has two "
            "columns: asset_id, and value (a number or a class)."
        )
    asset, value = (source.text(column) for column in COLUMNS)
    duck.execute(f"CREATE TEMP TABLE raw AS SELECT row_number() OVER () AS line, nfc_normalize({asset}) AS asset_id, "
                 f"{value} AS value FROM {source.relation()}")  # fmt: skip
    duck.execute(
        "CREATE TEMP TABLE good AS SELECT DISTINCT asset_id, value FROM raw WHERE asset_id <> '' AND value <> ''"
    )
    twice = "(SELECT asset_id FROM good GROUP BY asset_id HAVING count(*) > 1)"
    duck.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM good WHERE asset_id NOT IN {twice}")
    wheres = {
        "no asset_id": "asset_id = ''",
        "no value": "asset_id <> '' AND value = ''",
        "two values": f"value <> '' AND asset_id IN {twice}",
    }
    rejected = rejected_rows(duck, source)
    faults = shape_fault(rejected)
    for reason, where in wheres.items():
        faults += fault_of(duck, reason, ABOUT[reason], f"SELECT line FROM raw WHERE {where}", rejected, source)
    return faults


def _classes(duck: duckdb.DuckDBPyConnection, name: str, faults: Sequence[Fault]) -> list[str]:
    """The classes, the one that is asked about first; none where the values are numbers."""
    number = "TRY_CAST(value AS DOUBLE)"
    rows, numbers, distinct = duck.execute(
        f"SELECT count(*), count(*) FILTER (isfinite({number})), count(DISTINCT coalesce({number}::VARCHAR, value)) "
        "FROM kept"
    ).fetchall()[0]
    if not rows:
        why = " ".join(one.text for one in faults)
        raise DataError(
            f"No row of {name} can be used: each needs an asset_id and one value. Nothing was imported. {why}".strip()
        )
    if numbers == rows and distinct > 2:
        return []
    if numbers == rows:  # 1.0 and 1 are one class
        duck.execute(f"UPDATE kept SET value = CASE WHEN {number} = trunc({number}) AND abs({number}) < 9e15 "
                     f"THEN {number}::BIGINT::VARCHAR ELSE {number}::VARCHAR END")  # fmt: skip
    found = [row[0] for row in duck.execute("SELECT DISTINCT value FROM kept ORDER BY value").fetchall()]
    if len(found) == 1:
        raise DataError(f"All values of {name} are {found[0][:LONGEST]!r}, so there is nothing to compare.")
    if len(found) > MOST_CLASSES or max(map(len, found)) > LONGEST:
        raise DataError(
            f"{name} has {len(found):,} different values that are not numbers, for example {found[0][:40]!r}. A "
            f"feature has numbers, or at most {MOST_CLASSES} classes of at most {LONGEST} characters."
        )
    return sorted(found, key=lambda one: (one.lower() not in FIRST, one))


def _keep(settings: Settings, path: Path) -> str:
    digest = digest_file(path)
    target = file_of(settings, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    os.chmod(path, 0o600)
    os.replace(path, target)
    return digest


def _record(settings: Settings, row: ImportedFeature, faults: tuple[Fault, ...]) -> Imported:
    with writing(settings) as session:
        before = newest(session, row.name)
        if before is not None and before.file == row.file:
            before.means = row.means or before.means
            session.flush()
            session.expunge(before)
            return Imported(before, faults, again=True)
        row.means = row.means or (before.means if before else "")
        row.version = 1 if before is None else before.version + 1
        session.add(row)
        session.flush()
        session.expunge(row)
    return Imported(row, faults)


def meaning(sentence: str) -> str:
    """``sentence`` as it is kept. Raises DataError where it is no single sentence that fits a page."""
    told = " ".join(sentence.split())
    if len(told) > LONGEST_MEANING or not told.isprintable():
        raise DataError(
            f"The meaning has {len(told):,} characters. Expected one sentence of at most {LONGEST_MEANING} printable "
            'characters, for example: --means "yes: somebody in the image smiles"'
        )
    return told


def say_meaning(settings: Settings, name: str, sentence: str) -> str:
    """Keep what the imported feature ``name`` means; the sentence as it is kept.

    Raises UnknownFeature, and DataError where there is no sentence.
    """
    told = meaning(sentence)
    with writing(settings) as session:
        row = current(session, name)
        if row is None:
            raise UnknownFeature(
                f"There is no imported feature {name[:80]!r}. To list the features: `attune features list`"
            )
        if not told:
            raise DataError(f"No sentence was given. Say what {name} means, for example: yes: somebody smiles.")
        row.means = told
    return told


def newest(session: Session, name: str) -> ImportedFeature | None:
    """The newest version of a feature, which may say that somebody removed it; None where there is none."""
    wanted = select(ImportedFeature).where(ImportedFeature.name == name)
    return session.scalar(wanted.order_by(ImportedFeature.version.desc()).limit(1))


def current(session: Session, name: str) -> ImportedFeature | None:
    """The newest version of a feature; None where there is none, or somebody removed it."""
    row = newest(session, name)
    return None if row is None or row.file == GONE else row


def listed(session: Session) -> list[ImportedFeature]:
    """The newest version of each imported feature that nobody removed, by name."""
    last = select(func.max(ImportedFeature.id)).group_by(ImportedFeature.name)
    wanted = select(ImportedFeature).where(ImportedFeature.id.in_(last), ImportedFeature.file != GONE)
    return list(session.scalars(wanted.order_by(ImportedFeature.name)))


def file_of(settings: Settings, digest: str) -> Path:
    """Where the values of a version are."""
    return settings.workspace / "imported-features" / f"{digest}.parquet"


def relation(settings: Settings, row: ImportedFeature) -> str:
    """SQL of a version's rows. Raises DataError where the file is gone."""
    path = file_of(settings, row.file)
    if not path.exists():
        raise DataError(
            f"The file {path} of the feature {row.name}, version {row.version}, is gone. Restore it from a backup, or "
            f"import it again: `attune features import FILE --name {row.name}`"
        )
    return parquet(path)
