"""How good a probe of the demo is against the sample's ground truth, on titles that were never trained on.

The held-out titles are the attribute's reserved ones: chosen by hash before any answer, audited at most, trained on
never. Side by side: the published probe, the text prompts alone, and a probe on all labels of every other title.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from attune.labeler.assets.active_pool import open_pool
from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.sample.catalogue import Catalogue
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import read_probe
from attune.models.evaluation.audit_design import reserved_mask
from attune.models.evaluation.evaluate import holdout_ap
from attune.models.evaluation.metrics import Metric
from attune.models.probes.probe import Probe


def figures(settings: Settings, catalogue: Catalogue, name: str, version: int) -> dict[str, Any]:
    """demo-check's entry for one attribute; AP is macro over classes where there are more than two."""
    with reading(settings) as session:
        attribute_row = attributes.find(session, name)
        view = open_pool(settings, session)
        runs = {
            run.number: run
            for run in session.scalars(
                select(Run).where(Run.attribute_id == attribute_row.id, Run.number.in_([1, version]))
            )
        }
    pool, classes, seed = view.pool, list(attribute_row.classes), int(attribute_row.settings["seed"])
    is_reserved = reserved_mask(pool.title_ids, seed, attribute_row.settings["reserved_share"])
    truth = np.array(
        [classes.index(catalogue.truths[asset_id].value(name)) for asset_id in pool.asset_ids.tolist()], dtype=np.intp
    )
    test = np.flatnonzero(is_reserved)
    x, y, titles = pool.rows(test), truth[test], pool.title_ids[test]

    def measured(probability: npt.NDArray[Any]) -> Metric:
        return holdout_ap(y, probability, titles, seed, classes=len(classes))

    published, prompts = (read_probe(runs[number].probe).probabilities(x) for number in (version, 1))
    train = np.flatnonzero(~is_reserved)
    everything = Probe(tuple(classes)).fit(pool.rows(train), np.eye(len(classes))[truth[train]])
    best = measured(published)
    return {
        "answers": runs[version].answers,
        "assets": runs[version].labels["assets"],
        "average_precision": best.value,
        "ci": [best.lo, best.hi],
        "n_test": len(test),
        "prompts_average_precision": measured(prompts).value,
        "all_labels_average_precision": measured(everything.predict_proba(x)).value,
        "version": version,
        "held_out_titles": len(set(titles.tolist())),
        "purposes": runs[version].labels["purposes"],
        "audit_estimate": runs[version].metrics.get("average_precision"),
    }
