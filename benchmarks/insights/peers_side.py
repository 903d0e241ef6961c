"""The peers' side: reads draws of made-up attributes, writes estimate, error and p of each. Needs their packages."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def main(given: str, made: str) -> None:
    """Run every peer, EconML on a few draws."""
    import pandas as pd

    held = np.load(given)
    frame = pd.DataFrame({name: held[name] for name in ("title", "impressions", "takes", "rank")})
    frame["rate"] = frame.takes / frame.impressions
    frame["exposure"] = np.log(frame.impressions)
    found: dict[str, list[list[float]]] = {}
    for draw, x in enumerate(held["x"]):
        frame["x"] = x
        for name, result in fixest(frame).items():
            found.setdefault(name, []).append(result)
        for name, peer in PEERS.items():
            if peer is not econ_ml or draw < SLOW:
                found.setdefault(name, []).append(peer(frame))
        sys.stderr.write(f"draw {draw}, {time.process_time():.0f} s of processor time\n")
    Path(made).write_text(json.dumps(found))


def fixest(frame: Any) -> dict[str, list[float]]:
    """Poisson with title effects: default errors, and clustered by title."""
    import pyfixest as pf

    found = {}
    for name, vcov in (("pyfixest, iid", "iid"), ("pyfixest, clustered", {"CRV1": "title"})):
        fit = pf.fepois("takes ~ x | title", data=frame, vcov=vcov, offset="exposure")
        found[name] = [float(one.loc["x"]) for one in (fit.coef(), fit.se(), fit.pvalue())]
    return found


def double_ml(frame: Any, cluster: str | None = None) -> list[float]:
    """DoubleML's partially linear regression of the rate, adjusted for the title's popularity by the lasso (as in its
    guide); with ``cluster``, its errors and folds by title. Forests as learners took 24 s of processor time a draw."""
    import doubleml as dml
    from sklearn.linear_model import LassoCV

    learner = LassoCV()
    np.random.seed(0)  # its folds come from the global generator
    if cluster:
        data = dml.DoubleMLData(frame, y_col="rate", d_cols="x", x_cols=["rank"], cluster_cols=cluster)
    else:
        data = dml.DoubleMLData(frame, y_col="rate", d_cols="x", x_cols=["rank"])
    model = dml.DoubleMLPLR(data, ml_l=learner, ml_m=learner)
    model.fit()
    return [float(one[0]) for one in (model.coef, model.se, model.pval)]


def clustered(frame: Any) -> list[float]:
    """``double_ml`` clustered by title."""
    return double_ml(frame, "title")


def econ_ml(frame: Any) -> list[float]:
    """EconML's LinearDML of the rate, adjusted for the title's popularity, with its defaults (as in its guide)."""
    from econml.dml import LinearDML

    model = LinearDML(discrete_treatment=True, random_state=0)
    model.fit(frame.rate.to_numpy(), frame.x.to_numpy(), X=None, W=frame[["rank"]].to_numpy())
    told = model.intercept__inference()
    return [float(np.ravel(one)[0]) for one in (told.point_estimate, told.stderr, told.pvalue())]


SLOW = 5  # draws of EconML, which takes longest
PEERS = {"DoubleML": double_ml, "DoubleML, clustered": clustered, "EconML, LinearDML": econ_ml}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("given", help="the draws, as peers.py writes them (.npz)")
    parser.add_argument("made", help="file for what the peers say (.json)")
    asked = parser.parse_args()
    main(asked.given, asked.made)
