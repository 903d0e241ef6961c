"""`python -m tests.labeler.services.small WORKSPACE JSON`: a supervisor over shell lines."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from attune.labeler.services.foreground import Supervisor
from attune.labeler.services.parts import MARK, Part
from attune.labeler.settings import build
from attune.models.errors import ServiceError


def main() -> None:
    workspace = Path(sys.argv[1])
    settings = build({}, workspace=workspace)
    wanted = [
        Part(
            name=name,
            title=name,
            command=("sh", "-c", line),
            environment={**os.environ, MARK: str(workspace)},
            log=settings.logs / f"{name}.log",
            grace_seconds=1.0,
            last=name == "last",
        )
        for name, line in json.loads(sys.argv[2]).items()
    ]
    supervisor = Supervisor(
        settings, wanted, lambda line: print(line, flush=True), wait=lambda settings, tell, alive: tell("started")
    )
    supervisor.loop()
    if isinstance(supervisor.failure, ServiceError):
        print(supervisor.failure, flush=True)
        sys.exit(11)


if __name__ == "__main__":
    main()
