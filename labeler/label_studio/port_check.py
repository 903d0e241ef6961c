"""Whose Label Studio listens on the port where this workspace's would be: for errors that must help."""

from __future__ import annotations

from pathlib import Path

import psutil

from attune.labeler.services.port_owner import listener
from attune.labeler.settings import Settings

DATA = "LABEL_STUDIO_BASE_DATA_DIR"  # `attune up` starts each with its workspace's folder


def whose(settings: Settings) -> str:
    """A sentence that says whose program listens on our port; empty where it is ours, or no one can say.

    A Label Studio that the settings name by its address is never someone else's.
    """
    if settings.label_studio_url is not None:
        return ""
    port = settings.label_studio_port
    owner_pid = listener(port)
    if owner_pid is None:
        return ""
    try:
        process, name = psutil.Process(owner_pid), ""
        name = f"{process.name()}, process {owner_pid}"
        data = process.environ().get(DATA)
    except (psutil.Error, OSError):
        data = None
    if data and Path(data).resolve() == (settings.workspace / "label-studio").resolve():
        return ""
    beside = f"attune up --free-ports --workspace {settings.workspace}"
    if data:
        return (
            f"The Label Studio on port {port} belongs to the workspace {Path(data).parent} ({name}), not to "
            f"this one. Stop it with Ctrl-C in its terminal, or start this workspace on other ports: `{beside}`"
        )
    return (
        f"Port {port} is used by {name or f'process {owner_pid}, of another user'}, which is not this workspace's "
        f"Label Studio. Stop it, or start this workspace on other ports: `{beside}`. To use that Label Studio, "
        "set ATTUNE_LABEL_STUDIO_URL and ATTUNE_LABEL_STUDIO_TOKEN."
    )
