"""The features that can be asked about: imported, measured, and attributes by their champion's feature values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.catalog.reading import feature_digest, features_of, read
from attune.labeler.insights import audited, imported
from attune.labeler.insights.known import Known
from attune.labeler.measured import checks, objects
from attune.labeler.measured import values as measured
from attune.labeler.records.schema import Alias, Attribute, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import Reference
from attune.models.errors import CatalogError, DataError, UnknownFeature
from attune.models.measured.eye_checks import BY_BANDED, CHECKS
from attune.models.measured.measures import BY_NAME, MADE_BY, MEASURES, OBJECT_CLASSES, Measure

PER_SD = "per sd"
CHAMPION = "champion"
FEW = 1000  # images whose values are picked out of their file


def known(settings: Settings) -> dict[str, Known]:
    """All features by name, without their values."""
    with reading(settings) as session:
        found = {
            row.name: Known(row.name, row.version, "imported", tuple(row.classes), row.file, means=row.means)
            for row in imported.listed(session)
        }
        champions = _champions(session)
        audits = {name: audited.digest(session, name) for name, _, _ in champions}
    for name, version, question in champions:
        try:
            reference = Reference(name, str(version))
            classes = tuple(read(settings, reference).classes)
            digest = feature_digest(settings, reference)
            found[name] = Known(name, version, "attribute", classes, digest, audits[name], False, name, question)
        except CatalogError:  # not scored yet, or its storage does not answer: it takes part in the next run
            continue
    for one in [*_measured(settings), *_objects(settings)]:
        found.setdefault(one.name, one)  # an imported feature or an attribute keeps its name
    return dict(sorted(found.items()))


def _measured(settings: Settings) -> list[Known]:
    values = measured.newest(settings)
    state = values.state() if values else None
    if state is None:
        return []
    asked, audits = _asked(settings, CHECKS)
    found = [
        Known(one.name, MADE_BY, "measured", one.classes, f"{state}:{one.name}", detected=one.detected, means=one.means,
              kin=_bands(one.name))
        for one in MEASURES
    ]  # fmt: skip
    checked = [one for one in CHECKS.values() if one.feature in asked]
    for one in checked:  # people answer in bands, so the bands of a number are what their answers can correct
        if not one.of_classes:
            means = f"{BY_NAME[one.feature].means} In bands: {', '.join(one.classes)}."
            found.append(Known(one.banded, MADE_BY, "measured", one.classes, f"{state}:{one.banded}", detected=True,
                               means=means, kin=(one.feature,)))  # fmt: skip
    by_name = {one.banded: one.feature for one in checked}
    return [
        replace(one, audited_by=asked[by_name[one.name]], audits=audits[by_name[one.name]])
        if one.name in by_name else one
        for one in found
    ]  # fmt: skip


def _objects(settings: Settings) -> list[Known]:
    """Objects by text prompts of which images have values."""
    found = [(one, state) for one in objects.listed(settings) if (state := one.values.state()) is not None]
    asked, audits = _asked(settings, [one.name for one, _ in found])
    return [
        Known(one.name, one.number, "measured", OBJECT_CLASSES, f"{state}:{one.name}", audits.get(one.name, ""),
              detected=True, audited_by=asked.get(one.name, ""), means=one.phrased.measure.means, guessed=True,
              words=(*sorted(one.phrased.phrases), one.encoder))
        for one, state in found
    ]  # fmt: skip


def _asked(settings: Settings, names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The questions that check the features ``names``, of those that people are asked about, and digests of their
    answers; both by the feature's name."""
    with reading(settings) as session:
        asked = {name: row.name for name in names if (row := checks.find(session, name)) is not None}
        return asked, {name: audited.digest(session, by, empty="") for name, by in asked.items()}


def _bands(number: str) -> tuple[str, ...]:
    """The bands of a measured number, also while nobody checks it: runs may have compared them before."""
    return (CHECKS[number].banded,) if number in CHECKS and not CHECKS[number].of_classes else ()


def _champions(session: Session) -> list[tuple[str, int, str]]:
    wanted = (
        select(Attribute.name, Alias.version, Attribute.question)
        .join(Alias, Alias.attribute_id == Attribute.id)
        .join(Version, (Version.attribute_id == Attribute.id) & (Version.version == Alias.version))
        .where(Alias.alias == CHAMPION, Version.retired_at.is_(None))
    )
    return [(row.name, row.version, row.question) for row in session.execute(wanted)]


def values(settings: Settings, feature: Known, asset_ids: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """The value of each of ``asset_ids`` (n,): a text of a class, or a float; an empty text or NaN where unknown.

    Of a few, such as the images of one title, no other image's value is read.
    """
    read_values = {"attribute": _attribute, "imported": _imported, "measured": _measured_values}
    only = [str(one) for one in asset_ids] if len(asset_ids) <= FEW else None
    table = read_values[feature.kind](settings, feature, only)
    place = pc.index_in(pa.array(asset_ids, pa.string()), value_set=table["asset_id"].combine_chunks())
    column = table["value"].combine_chunks().take(place)
    if feature.classes:
        texts: npt.NDArray[np.object_] = column.fill_null("").to_numpy(zero_copy_only=False).astype(object)
        return texts
    numbers: npt.NDArray[np.object_] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return numbers


def stored(settings: Settings, feature: Known) -> pa.Table:
    """What the feature's file says of all its images: ``asset_id``, ``value`` and ``content``, the sha256 of the bytes
    that it is true of, null where it is true of any. The records are not asked: images may have left the pool."""
    if feature.kind != "measured":
        table = (_attribute if feature.kind == "attribute" else _imported)(settings, feature, None)
        return table.append_column("content", pa.nulls(table.num_rows, pa.string()))
    name = _measured_name(feature)
    measure, table, _ = measured.stored(settings, name)
    numbers = table[name].to_numpy().astype(np.float64)
    return pa.table(
        {"asset_id": table["asset_id"], "value": _said(feature, measure, numbers), "content": table["content"]}
    )


def single(settings: Settings, feature: Known, asset_ids: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """``values`` as they may be said of one image: of a guess what people said there, since *yes* and *no* of single
    images stay as wrong as they were when the figure over all of them is corrected."""
    return audited.answers(settings, feature, asset_ids) if feature.guessed else values(settings, feature, asset_ids)


def _imported(settings: Settings, feature: Known, only: Sequence[str] | None) -> pa.Table:
    with reading(settings) as session:
        row = imported.current(session, feature.name)
    if row is None:
        raise UnknownFeature(
            f"Somebody removed the feature {feature.name!r} meanwhile. To list the features: `attune features list`"
        )
    where = "true" if only is None else "asset_id IN (SELECT unnest($only::VARCHAR[]))"
    with duckdb.connect() as duck:
        query = f"SELECT asset_id, value FROM {imported.relation(settings, row)} WHERE {where}"
        table: pa.Table = duck.sql(query, params=None if only is None else {"only": list(only)}).to_arrow_table()
    return table


def _measured_values(settings: Settings, feature: Known, only: Sequence[str] | None) -> pa.Table:
    one = measured.measured(settings, _measured_name(feature), only)
    return pa.table({"asset_id": pa.array(one.ids, pa.string()), "value": _said(feature, one.measure, one.values)})


def _measured_name(feature: Known) -> str:
    """The measured feature that ``feature`` is, or is the bands of."""
    check = BY_BANDED.get(feature.name)
    return feature.name if check is None else check.feature


def _said(feature: Known, measure: Measure, numbers: npt.NDArray[np.float64]) -> pa.Array:
    """What ``feature`` says of an image that measures so (n,): a class, or the number; null where it says no class."""
    if not feature.classes:
        return pa.array(numbers, pa.float64())
    check = BY_BANDED.get(feature.name)
    said = measure if check is None or check.of_classes else check
    codes = said.codes(numbers)
    return pa.array(said.classes, pa.string()).take(pa.array(codes, mask=codes < 0))


def _attribute(settings: Settings, feature: Known, only: Sequence[str] | None) -> pa.Table:
    path = features_of(settings, Reference(feature.name, str(feature.version))).path
    wanted = pc.field("class") == feature.classes[0]  # one row an asset: the label is in each of them
    if only is not None:
        wanted &= pc.field("asset_id").isin(pa.array(only, pa.string()))
    first = pq.read_table(path, columns=["asset_id", "label"], filters=wanted)
    return pa.table({"asset_id": first["asset_id"], "value": first["label"]})


def contrast_of(feature: Known, contrast: str) -> str:
    """``contrast`` as it is kept, or the only one that the feature has. Raises DataError where it does not fit."""
    if not feature.classes:
        if contrast not in {"", PER_SD}:
            raise DataError(
                f"{feature.name} has numbers, and the contrast is {contrast[:80]!r}. Leave --contrast out: numbers are "
                "compared by a usual difference between two images (one standard deviation)."
            )
        return PER_SD
    if not contrast and len(feature.classes) == 2:
        return ":".join(feature.classes)
    if not contrast or pair(feature, contrast) is None:
        listed = ", ".join(feature.classes)
        what = f"the contrast is {contrast[:80]!r}" if contrast else "no contrast was given"
        raise DataError(
            f"{feature.name} has the classes {listed}, and {what}. Name two of them, for example: "
            f"--contrast {feature.classes[0]}:{feature.classes[1]}"
        )
    return contrast


def pair(feature: Known, contrast: str) -> tuple[str, str] | None:
    """The two classes of a contrast; None where they are not two classes of the feature. A class may hold a colon."""
    for place, sign in enumerate(contrast):
        first, second = contrast[:place], contrast[place + 1 :]
        if sign == ":" and first in feature.classes and second in feature.classes and first != second:
            return first, second
    return None
