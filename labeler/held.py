"""Who holds a port, for an error that must help."""

from __future__ import annotations

import psutil


def holder(port: int) -> str:
    """What holds a TCP port of this machine, such as `` by redis-server (process 812, LISTEN)``; empty if unknown.

    Other people's processes can be seen by the system's administrator alone.
    """
    try:
        for line in psutil.net_connections(kind="tcp"):
            if line.laddr and line.laddr.port == port:
                name = f"{psutil.Process(line.pid).name()} (process {line.pid}, " if line.pid else "a process unseen ("
                return f" by {name}{line.status})"
    except (psutil.Error, OSError):
        pass  # macOS shows connections to root alone; the process may be gone since
    return ""
