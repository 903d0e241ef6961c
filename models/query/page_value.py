"""When a page of images is worth more than single ones: by what its answers are expected to teach in a second.

Seconds follow the keystroke-level model (Card, Moran and Newell 1980) unless real ones are known. On a page each image
costs a look; one that is ticked, or that the probe is undecided about, costs as much as a single answer on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

STEP, KEY = 1.35, 0.28  # seconds: a mental step, a key
RESPONSE = 0.016  # seconds from the key to the next image, p50 (benchmarks/labelling_speed)
LOOK = 0.6  # seconds of a look at one image among others
LEAST_LOOK = 0.1  # seconds; nobody sees an image in less
UNDECIDED = 0.2  # images whose probability is nearer to one half are looked at as long as single ones
MORE = 4  # times as many candidates as a page has images
ROUND = 20  # single answers that a page is compared with: between two decisions (benchmarks/expert_minutes)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Seconds:
    """What an expert's work takes: a ``single`` answer; on a page a ``look`` at each image, a ``mark`` on top for what
    is ticked or undecided, and ``submit`` for the page."""

    single: float = STEP + KEY + RESPONSE
    look: float = LOOK
    mark: float = STEP + KEY
    submit: float = KEY + RESPONSE


@dataclass(frozen=True)
class TimedPage:
    """A page that somebody answered: ``seconds`` is an equal share of its time for each image; ``marks`` of its
    ``images`` were ticked or unsure. Where no tick is no answer, the others were looked at all the same."""

    seconds: float
    images: int
    marks: int


def recorded_look(pages: Sequence[TimedPage], mark: float) -> float:
    """The seconds of a look that one of ``pages`` took: what is left of an image's share when each mark took ``mark``
    seconds. The median page's; at least `LEAST_LOOK`. Raises StatisticsError without a page."""
    return max(median(page.seconds - mark * page.marks / page.images for page in pages), LEAST_LOOK)


@dataclass(frozen=True, eq=False)
class ValuedPage:
    """The ``places`` (n,) of a page's images among its candidates, best first; what the page is expected to teach a
    second (``worth``), and the ``seconds`` it is expected to take."""

    places: npt.NDArray[np.intp]
    worth: float
    seconds: float


def best_page(value: Floats, p: Floats, size: int, seconds: Seconds, no_tick_answers: bool = True) -> ValuedPage:
    """Of candidates with utilities ``value`` (m,) the ``size`` that teach most a second on one page.

    ``p`` (m,) is each one's probability of the class that a tick means. Where no tick is no answer
    (``no_tick_answers`` False), an image teaches only as often as it is ticked.
    """
    undecided = np.abs(p - 0.5) < UNDECIDED
    taught = value if no_tick_answers else value * p
    each = seconds.look + np.where(undecided, 1.0, p) * seconds.mark
    best = np.argsort(-taught / each, kind="stable")[:size]
    takes = float(each[best].sum()) + seconds.submit
    return ValuedPage(best, float(taught[best].sum()) / takes, takes)


def single_worth(value: Floats, seconds: Seconds) -> float:
    """What the next single answers, of utilities ``value`` (m,) best first, are expected to teach a second."""
    return float(value[:ROUND].mean()) / seconds.single if len(value) else 0.0
