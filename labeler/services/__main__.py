"""`python -m attune.labeler.services`: what `Stack` starts. The settings come from the environment."""

from __future__ import annotations

import os
import signal
import sys

from attune.labeler.services import entry_point
from attune.labeler.services.foreground import run
from attune.labeler.services.parts import PARENT
from attune.labeler.services.start_part import die_with_parent


def main() -> None:
    """Run the stack; an error is one message on stderr and its exit code."""
    entry_point.parser("attune.labeler.services", __doc__).parse_args()
    die_with_parent(signal.SIGTERM)
    if os.getppid() != int(os.environ.get(PARENT, os.getppid())):
        sys.exit("The process that started this stack is gone.")
    sys.exit(entry_point.run(lambda settings: run(settings, lambda line: print(line, flush=True))))


if __name__ == "__main__":
    main()
