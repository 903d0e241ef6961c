"""`python -m labeler.supervise`: what `Stack` starts. The settings come from the environment."""

from __future__ import annotations

import os
import signal
import sys
import traceback

from labeler.settings import build
from labeler.supervise.orphans import die_with_parent
from labeler.supervise.parts import PARENT
from labeler.supervise.run import run
from models.errors import AttuneError, ServiceDown, consequence


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
    except Exception as error:
        traceback.print_exc()  # into the log, for whoever mends it; what follows is for whoever waits
        print(in_words(error), file=sys.stderr, flush=True)
        sys.exit(consequence(ServiceDown).exit_code)


def in_words(error: Exception) -> str:
    """What an error that nobody foresaw means to the person who started Attune."""
    if isinstance(error, OSError) and error.filename:
        return (
            f"attune: {error.filename} could not be read or written ({error.strerror}). Check that the disk has room "
            "and that the folder is yours, then start again."
        )
    return (
        f"attune: Attune met an error of its own ({type(error).__name__}). Start again; if it stops again, try a new "
        "folder with --workspace, and send this log to whoever looks after Attune."
    )


if __name__ == "__main__":
    main()
