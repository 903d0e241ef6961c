"""Forecasts for titles that nobody watched yet: learned with the groups, told for one title at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.labeler.members.title_traits import POSTERS, titles
from attune.labeler.records.schema import MemberGrouping
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnknownAsset
from attune.models.insights.outcomes import Floats
from attune.models.members.share_forecast import LEAST_TITLES, Block, Forecaster, Gain, forecaster
from attune.models.members.small_cells import FLOOR

AXES = 32  # of the artwork's vectors, those that differ most between the titles
Coefficients = dict[str, Any]


def learn(
    settings: Settings, counts: npt.NDArray[np.int64], title_ids: npt.NDArray[np.object_], seed: int,
    step: Callable[[], None],
) -> tuple[dict[str, Any], Coefficients]:  # fmt: skip
    """What may be told of a forecast's quality, and its coefficients; of titles with ``FLOOR`` members or more.

    The artwork's axes, means for what is missing, and which values count are of all titles, without their viewers.
    """
    place = {str(name): row for row, name in enumerate(title_ids) if counts[row].sum() >= FLOOR}
    known = titles(settings, list(place))
    rows = [place[one] for one in known.ids]
    if len(rows) < LEAST_TITLES:
        return {"why": (
            f"{len(rows)} titles have {FLOOR} members or more and an image in the pool. A forecast needs "
            f"{LEAST_TITLES}. Add their images: `attune assets add PATH`"
        )}, {}  # fmt: skip
    names, blocks, axes = known.names(), [], None
    for name, columns in names.items():
        values = known.values(name, columns)
        if name == POSTERS:
            axes = _axes(values)
        blocks.append(Block(name, values if name != POSTERS or axes is None else values @ axes))
    found = forecaster(counts[rows].astype(np.float64), blocks, seed, step)
    coefficients = {
        name: {
            "names": list(names[name]),
            "weights": (axes @ weight if name == POSTERS and axes is not None else weight).tolist(),
            "means": known.values(name, names[name]).mean(axis=0).tolist(),
        }
        for name, weight in found.coefficients.items()
    }
    held = {"blocks": coefficients, "intercept": found.intercept.tolist(), "base": found.base.tolist(),
            "missed": found.missed.tolist(), "encoder": known.encoder, "titles": sorted(place)}  # fmt: skip
    return _quality(found), held


def _axes(values: Floats) -> Floats:
    """The directions (d, m) along which the titles' vectors differ most."""
    _, _, directions = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    return np.asarray(directions[: min(AXES, max(len(values) // 5, 1))].T, dtype=np.float64)


def _quality(found: Forecaster) -> dict[str, Any]:
    gains = [_gain(one) for one in found.gains]
    artwork = next((one for one in found.gains if one.block == POSTERS), None)
    return {
        "why": "", "titles": found.titles, "base": [round(float(one), 4) for one in found.base],
        "gains": gains, "whole": _gain(found.whole), "posters": said_of_posters(artwork),
    }  # fmt: skip


def _gain(one: Gain) -> dict[str, Any]:
    return {"block": one.block, "nats": round(one.nats, 4), "ci": [round(one.low, 4), round(one.high, 4)],
            "used": one.used, "helps": one.helps}  # fmt: skip


def said_of_posters(one: Gain | None) -> str:
    """What artwork adds to a forecast, in words."""
    if one is None:
        return "There is no artwork with a vector, so forecasts rest on metadata alone."
    if not one.used:
        return "Posters add nothing here to what metadata and attributes say, so the forecast does not use them."
    if not one.helps:
        return "Posters may add something, but no measurable difference."
    return f"Posters make the forecast better: {one.nats:.3f} nats a view [{one.low:.3f}, {one.high:.3f}]."


def forecast(settings: Settings, row: MemberGrouping, title: str) -> dict[str, Any]:
    """The shares of each group of ``title``, with 95 % intervals.

    Raises DataError where the version has no forecast, or members watched the title: its shares, where they are not
    told, are of too few members; and where the encoder is another one. UnknownAsset where no image of it is here.
    """
    held = row.forecast
    if not held:
        raise DataError(f"Version {row.id} has no forecast. {row.figures['forecast']['why']}")
    if title in held["titles"]:
        raise DataError(
            f"Members have watched {title} already, so there is nothing to forecast. Its shares, where enough "
            f"members watched it: `attune members show {row.id} --json`"
        )
    known = titles(settings, [title])
    if not known.ids:
        raise UnknownAsset(f"No image of title {title[:80]!r} is in the pool. To list titles: `attune assets list`")
    if POSTERS in held["blocks"] and known.encoder and known.encoder != held["encoder"]:
        raise DataError("The pool's encoder changed since the groups were made. Make them again: `attune members fit`")
    blocks = {name: known.values(name, block["names"], block["means"]) for name, block in held["blocks"].items()}
    model = Forecaster(
        np.array(held["base"]), np.array(held["intercept"]),
        {name: np.array(block["weights"]) for name, block in held["blocks"].items()}, {},
        np.array(held["missed"]), (), Gain("all", 0, 0, 0, False), len(held["titles"]),
    )  # fmt: skip
    said, low, high = model.shares(blocks)
    return {
        "title_id": title, "version": row.id, "grade": "D", "posters": row.figures["forecast"]["posters"],
        "simulated": bool(row.figures.get("simulated")),
        "shares": _shares(said[0], low[0], high[0], held["base"]),
    }  # fmt: skip


def _shares(said: Floats, low: Floats, high: Floats, base: Sequence[float]) -> list[dict[str, Any]]:
    rows = zip(said, low, high, base, strict=True)
    return [
        {"group": number, "share": round(float(share), 4), "ci": [round(float(lo), 4), round(float(hi), 4)],
         "usual": round(usual, 4)}
        for number, (share, lo, hi, usual) in enumerate(rows, start=1)
    ]  # fmt: skip
