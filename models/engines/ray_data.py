"""Ray Data as an engine: Arrow tables go through a function on the cores of this machine, or of a cluster.

`RAY_ADDRESS` (Ray's own variable) names a cluster; without it Ray starts on this machine and ends with the process.
The tables come back in the order in which they were given, so that results are those of our own workers. One process
writes: what it wrote stays when it is killed, as with our own jobs. A machine of the cluster needs Attune and what the
function reads; it is given no settings and no secret.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from attune.models.errors import AttuneError, ExtraNotInstalled, JobError
from attune.models.reasons import missing_extra

Work = Callable[[pa.Table], pa.Table]
WINDOW_BYTES = 2**30  # of tables that are given to Ray at once: its memory is not ours to fill
WINDOW_TABLES = 4096
START_SECONDS = 120  # of its helpers: a busy machine takes longer than Ray's own 30


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
    ray = _started()
    try:
        for window in _windows(tables):
            yield from _mapped(ray, make, window, share)
    except ray.exceptions.RayError as error:
        raise (_ours(error) or _stopped(error)) from error


def _mapped(ray: Any, make: Callable[[], Work], window: list[pa.Table], share: Share) -> Iterator[pa.Table]:
    resources = ray.cluster_resources()
    cards = int(resources.get("GPU", 0)) if share.card else 0
    cores = max(1, min(share.cores, int(resources.get("CPU", 1))))
    processes = cards or max(1, int(resources.get("CPU", 1)) // cores)
    mapped = ray.data.from_arrow(window).map_batches(
        _Process,
        fn_constructor_args=(make,),
        batch_size=None,  # a table is a block, whole
        batch_format="pyarrow",
        zero_copy_batch=True,
        num_cpus=cores,
        num_gpus=1 if cards else None,
        compute=ray.data.ActorPoolStrategy(size=min(processes, len(window))),
    )
    yield from mapped.iter_batches(batch_size=None, batch_format="pyarrow")


class _Process:
    """What a process of Ray keeps from table to table, such as an encoder that was loaded once."""

    def __init__(self, make: Callable[[], Work]) -> None:
        self.work = make()

    def __call__(self, table: pa.Table) -> pa.Table:
        return self.work(table)


def _windows(tables: Iterable[pa.Table]) -> Iterator[list[pa.Table]]:
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


def _started() -> Any:
    """Ray, connected to a cluster or started here, silent, its answers in order."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_agent_register_timeout_ms", str(START_SECONDS * 1000))
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's own 15 makes the work wait for all else on the machine
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ModuleNotFoundError as error:
        raise ExtraNotInstalled(missing_extra(error)) from error
    if not ray.is_initialized():
        own: dict[str, Any] = {} if os.environ.get("RAY_ADDRESS") else {"include_dashboard": False}
        try:
            ray.init(log_to_driver=False, logging_level="ERROR", **own)
        except Exception as error:  # a plain Exception where its parts did not start, ConnectionError without a cluster
            raise _stopped(error) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    return ray


def _ours(error: BaseException | None) -> AttuneError | None:
    """The error of ours that lies under one of Ray's."""
    while error is not None:
        if isinstance(error, AttuneError):
            return error
        error = getattr(error, "cause", None) or error.__cause__
    return None


def _stopped(error: BaseException) -> JobError:
    place = os.environ.get("RAY_ADDRESS")
    first = next(iter(str(error).strip().splitlines()), "no reason given")
    return JobError(
        f"Ray stopped ({'the cluster at ' + place if place else 'on this computer'}): {first[:200]} "
        "Run the command again: what was done stays. Or leave Ray out: `--engine workers`, or unset ATTUNE_ENGINE."
    )


def stop() -> None:
    """End what Ray started in this process; nothing where it was not started."""
    with suppress(ImportError):
        import ray

        ray.shutdown()
