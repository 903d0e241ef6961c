"""Start, watch and stop all parts of Attune on one machine.

`run` is what `attune up` does in the foreground; `Stack` does the same in a process beside a test or the demo.
"""

from attune.labeler.services.foreground import run
from attune.labeler.services.ports import free_ports
from attune.labeler.services.stack import Stack

__all__ = ["Stack", "free_ports", "run"]
