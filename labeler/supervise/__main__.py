"""`python -m labeler.supervise`: what `Stack` starts. The settings come from the environment."""

from __future__ import annotations

import os
import signal
import sys

from labeler.settings import build
from labeler.supervise.orphans import die_with_parent
from labeler.supervise.parts import PARENT
from labeler.supervise.run import run
from models.errors import AttuneError, consequence


def main() -> None:
    """Run the stack; an error is one message on stderr and its exit code."""
    die_with_parent(signal.SIGTERM)
    if os.getppid() != int(os.environ.get(PARENT, os.getppid())):
        sys.exit("The process that started this stack is gone.")
    try:
        run(build(), lambda line: print(line, flush=True))
    except AttuneError as error:
        print(f"attune: {error}", file=sys.stderr, flush=True)
        sys.exit(consequence(type(error)).exit_code)


if __name__ == "__main__":
    main()
