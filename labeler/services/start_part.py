"""Become a command that ends when the process that started it ends, even by -9.

`python start_part.py PID COMMAND ...`, where PID is the process that starts it. It imports the standard library alone,
so that it takes milliseconds. A file of its own, because code between fork and exec is not safe beside threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals) -> None:
    """Ask the kernel to send us ``number`` when our parent dies, even by -9. Linux only; elsewhere `sweep` must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))


def main() -> None:
    """Read the command line."""
    if sys.argv[1:] == ["--help"]:
        print(__doc__)
        sys.exit()
    parent, command = int(sys.argv[1]), sys.argv[2:]
    die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("The process that started this part is gone.")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} does not start: {error.strerror}")


if __name__ == "__main__":
    main()
