"""Where a campaign takes place: a workspace that can be harmed in several ways, and the faults of each kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from attune.labeler import settings as reader
from attune.labeler.services import free_ports
from attune.labeler.settings import Settings
from tests.resilience import clocks, faults, hook_proxy, on_postgresql, small_disk, weather
from tests.resilience.faults import Fault

PARTS, WEBHOOKS, LABEL_STUDIO, DISK, CLOCK = KINDS = ("parts", "webhooks", "label-studio", "disk", "clock")
SQLITE, POSTGRESQL = DATABASES = ("sqlite", "postgresql")


@contextmanager
def arena(
    kinds: Sequence[str], folder: Path, records: str = SQLITE, label_studio: str = SQLITE
) -> Iterator[tuple[Settings, list[Fault]]]:
    """Settings of a workspace in ``folder`` that can be harmed in all of ``kinds``, and the faults; those that this
    machine does not allow are named and left out. ``records`` and ``label_studio`` are the kinds of database that the
    records and Label Studio are in.
    """
    chosen, disk = list(faults.FAULTS) if PARTS in kinds else [], folder / "disk"
    with ExitStack() as stack:
        allowed = {
            DISK: DISK in kinds and stack.enter_context(small_disk.mounted(disk)),
            CLOCK: CLOCK in kinds and stack.enter_context(clocks.preloaded(folder)),
        }
        for kind, found in ((DISK, small_disk.FAULTS), (CLOCK, clocks.FAULTS)):
            chosen += found if allowed[kind] else ()
            if kind in kinds and not allowed[kind]:
                print(f"{kind}: not done, as this machine does not allow it", file=sys.stderr)
        settings = reader.build({}, workspace=disk / "workspace")
        if records == POSTGRESQL:
            settings = replace(settings, database_url=stack.enter_context(on_postgresql.database()))
            chosen = [one for one in chosen if one.name != faults.RECORDS_LOCKED]
            chosen += on_postgresql.FAULTS if PARTS in kinds else ()
        if label_studio == POSTGRESQL:
            settings = replace(settings, label_studio_database_url=stack.enter_context(on_postgresql.database()))
            chosen = [one for one in chosen if one.name != faults.LABEL_STUDIO_LOCKED]
            chosen += on_postgresql.OF_LABEL_STUDIO if PARTS in kinds else ()
        if WEBHOOKS in kinds:
            proxy = hook_proxy.HookProxy()
            stack.callback(proxy.close)
            settings = free_ports(replace(settings, webhook_url=proxy.url))
            proxy.to = settings.web_address
            chosen += proxy.faults()
        if LABEL_STUDIO in kinds:
            settings = replace(settings, label_studio_env=weather.environment(settings, folder / "environment"))
            chosen += weather.FAULTS
        yield settings if WEBHOOKS in kinds else free_ports(settings), chosen
