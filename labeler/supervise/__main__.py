"""`python -m attune.labeler.supervise`: what `Stack` starts. The settings come from the environment."""

from __future__ import annotations

import os
import signal
import sys

from attune.labeler import entry
from attune.labeler.supervise.orphans import die_with_parent
from attune.labeler.supervise.parts import PARENT
from attune.labeler.supervise.run import run


def main() -> None:
    """Run the stack; an error is one message on stderr and its exit code."""
    entry.parser("attune.labeler.supervise", __doc__).parse_args()
    die_with_parent(signal.SIGTERM)
    if os.getppid() != int(os.environ.get(PARENT, os.getppid())):
        sys.exit("The process that started this stack is gone.")
    sys.exit(entry.run(lambda settings: run(settings, lambda line: print(line, flush=True))))


if __name__ == "__main__":
    main()
