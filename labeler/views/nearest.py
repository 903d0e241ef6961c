"""The images nearest to a prompt while somebody writes it, and near misses beside them: what a class would find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.explore import search
from attune.labeler.explore.search import Query, SearchResult
from attune.labeler.jobs import jobs
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.embedding import Embedding, embedding
from attune.labeler.views.pictures import PageImage, by_id

SHOWN = 10  # nearest images
MISSES = 8
FROM, TO = 30, 60  # ranks of images a bit further away
CLOSE = 200  # ranks within which an image may be near to two prompts
NO_VECTORS = "No images to show yet: the pool has no vectors. You can create the question anyway."
NO_TEXT = "No images to show: this pool uses supplied vectors, without an encoder for text. The prompt is not used."


@dataclass(frozen=True)
class Nearest:
    """``nearest`` images of a prompt and ``misses`` beside them; ``unread`` or ``failed`` say why there are none.

    ``against``: the other prompt that the misses are also near to, or empty. ``waits``: a worker still looks;
    ``workers``: one is there to do so. ``pool``: images that are still to come into the search.
    """

    phrase: str
    against: str
    nearest: Sequence[PageImage] = ()
    misses: Sequence[PageImage] = ()
    unread: str = ""
    failed: str = ""
    waits: bool = False
    workers: bool = True
    pool: Embedding = Embedding()


def nearest(settings: Settings, viewer: Viewer, phrase: str, against: str = "", patience: float = 0.0) -> Nearest:
    """The pool's images for ``phrase``; searches that are not done after ``patience`` seconds each come as ``waits``.

    Raises DataError for a prompt that is too long, ServiceDown where Redis does not answer.
    """
    pool = embedding(settings)
    with reading(settings) as session:
        blind = active_encoder(session) is None
        unread = search.why_unread(session) and NO_TEXT
    if unread:
        return Nearest(phrase, against, unread=unread)
    if pool.empty or blind:
        return Nearest(phrase, against, unread="" if pool.empty or pool.coming else NO_VECTORS, pool=pool)
    found = [_search(settings, text, patience) for text in (phrase, against) if text]
    if any(one is None or one.waits for one in found):
        return Nearest(phrase, against, waits=True, workers=jobs.workers_alive(settings, "explore"), pool=pool)
    results = [one for one in found if one is not None]
    if errors := [one.error or "The worker stopped." for one in results if one.state != "done"]:
        return Nearest(phrase, against, failed="" if pool.coming else errors[0], pool=pool)
    orders = [[name for name, _ in one.hits] for one in results]
    first = orders[0][:SHOWN] if orders else []
    beside = near_misses(*orders) if orders else []
    with reading(settings) as session:
        images = by_id(session, [*first, *beside], may_explore(viewer))
    return Nearest(
        phrase,
        against,
        [images[name] for name in first if name in images],
        [images[name] for name in beside if name in images],
        pool=pool,
    )


def near_misses(order: Sequence[str], other: Sequence[str] = ()) -> list[str]:
    """Images that are easily taken for the prompt's: of its ``order``, nearest first, beyond those that are shown.

    With another prompt's order, those that are near to both; without, some from ranks `FROM` to `TO`, evenly spaced.
    """
    if other:
        rank = {name: place for place, name in enumerate(other[:CLOSE])}
        both = [(max(place, rank[name]), name) for place, name in enumerate(order[:CLOSE]) if name in rank]
        return [name for _, name in sorted(both) if name not in order[:SHOWN]][:MISSES]
    further = list(order[FROM:TO]) or list(order[SHOWN:])
    step = max(1, len(further) // MISSES)
    return further[::step][:MISSES]


def _search(settings: Settings, text: str, patience: float) -> SearchResult | None:
    return search.wait_for_result(settings, search.start(settings, Query(text=text)), patience)
