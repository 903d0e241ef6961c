"""Ray Data as an engine: Arrow tables go through a function on the cores of this machine, or of a cluster.

The tables come back in the order in which they were given, so that results are those of our own workers. One process
writes: what it wrote stays when it is killed, as with our own jobs. A machine of the cluster needs Attune and what the
function reads; it is given no settings and no secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from attune.models.engines.ray_start import started
from attune.models.engines.table_errors import Work, checked, guarded
from attune.models.errors import JobError

WINDOW_BYTES = 2**30  # of tables that are given to Ray at once: its memory is not ours to fill
WINDOW_TABLES = 4096


@dataclass(frozen=True)
class Share:
    """What one process of Ray takes of a machine: cores, and whether it wants a card where there are any."""

    cores: int = 1
    card: bool = False


def map_tables(make: Callable[[], Work], tables: Iterable[pa.Table], share: Share = Share()) -> Iterator[pa.Table]:
    """Each table as the function that ``make`` makes in each process of Ray returns it, in the same order.

    A table may not come back without rows. Raises ExtraNotInstalled without Ray, what the function raises of ours, and
    JobError for all else that stops Ray.
    """
    ray = started()
    try:
        for window in windows(tables):
            yield from map(checked, _mapped(ray, make, window, share))
    except ray.exceptions.RayError as error:
        raise stopped(error) from error


def _mapped(ray: Any, make: Callable[[], Work], window: list[pa.Table], share: Share) -> Iterator[pa.Table]:
    planned = plan(ray.nodes(), share)
    mapped = ray.data.from_arrow(window).map_batches(
        _Process,
        fn_constructor_args=(make,),
        batch_size=None,  # a table is a block, whole
        batch_format="pyarrow",
        zero_copy_batch=True,
        num_cpus=planned.share.cores,
        num_gpus=1 if planned.share.card else None,
        compute=ray.data.ActorPoolStrategy(size=min(planned.processes, len(window))),
    )
    yield from mapped.iter_batches(batch_size=None, batch_format="pyarrow")


@dataclass(frozen=True)
class Plan:
    """What each process takes, and how many there are: as many as fit on the machines, each whole on one."""

    share: Share
    processes: int


def plan(nodes: Sequence[Mapping[str, Any]], share: Share) -> Plan:
    """How ``share`` fits on Ray's machines: fewer cores where none has so many, no card where none has one.

    Raises JobError where no living machine has a core.
    """
    living = [node["Resources"] for node in nodes if node["Alive"]]
    machines = [(int(one.get("CPU", 0)), int(one.get("GPU", 0))) for one in living]
    with_card = [(cores, cards) for cores, cards in machines if cores and cards] if share.card else []
    used = with_card or machines
    cores = min(share.cores, max((cores for cores, _ in used), default=0))
    if cores < 1:
        raise JobError(
            f"Ray has {len(machines)} living machines and no core on any of them, so nothing can run there. "
            "`ray status` lists them; start Ray with `--num-cpus` above 0 on one at least. Or leave "
            "Ray out: `--engine workers`"
        )
    fit = [min(have // cores, cards) if with_card else have // cores for have, cards in used]
    return Plan(Share(cores, bool(with_card)), sum(fit))


class _Process:
    """What a process of Ray keeps from table to table, such as an encoder that was loaded once."""

    def __init__(self, make: Callable[[], Work]) -> None:
        self.work = guarded(make)

    def __call__(self, table: pa.Table) -> pa.Table:
        return self.work(table)


def windows(tables: Iterable[pa.Table]) -> Iterator[list[pa.Table]]:
    """``tables`` in lists that Ray gets one after the other: it holds each whole."""
    window: list[pa.Table] = []
    size = 0
    for table in tables:
        window.append(table)
        size += table.nbytes
        if size >= WINDOW_BYTES or len(window) >= WINDOW_TABLES:
            yield window
            window, size = [], 0
    if window:
        yield window


def stopped(error: BaseException) -> JobError:
    """What stopped Ray, by the line of its report that names the first error."""
    named = re.search(r"^\s*[\w.]*(?:Error|Exception): .+$", str(error), re.MULTILINE)
    reason = named.group().strip() if named else next(iter(str(error).strip().splitlines()), "no reason given")
    return JobError(
        f"Ray stopped: {reason[:200].rstrip('.')}. Run the command again: what was done stays. Or leave Ray out: "
        "`--engine workers`"
    )
