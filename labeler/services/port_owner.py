"""Who holds a port, for an error that must help."""

from __future__ import annotations

import errno

import psutil


def holder(port: int, error: OSError) -> str:
    """What holds a TCP port of this machine, such as `` by redis-server (process 812, LISTEN)``.

    Empty where ``error`` says another thing than that the port is taken, and where it is not known who holds it: other
    people's processes can be seen by the system's administrator alone.
    """
    if error.errno != errno.EADDRINUSE:
        return ""
    try:
        lines = [line for line in psutil.net_connections(kind="tcp") if line.laddr and line.laddr.port == port]
        for line in sorted(lines, key=lambda line: line.status != psutil.CONN_LISTEN):
            name = f"{psutil.Process(line.pid).name()} (process {line.pid}, " if line.pid else "an unknown process ("
            return f" by {name}{line.status})"
    except (psutil.Error, OSError):
        pass  # macOS shows connections to root alone; the process may be gone since
    return ""


def listener(port: int) -> int | None:
    """The id of the process that listens on a TCP port of this machine; None where no one does, or none can be seen."""
    try:
        lines = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    here = (line.pid for line in lines if line.status == psutil.CONN_LISTEN and line.laddr and line.laddr.port == port)
    return next((pid for pid in here if pid), None)
