"""The page of errors: exit codes, HTTP statuses, and what each error means."""

from __future__ import annotations

from collections.abc import Iterator

from attune.labeler.services import exits
from attune.models import errors
from attune.models.errors import AttuneError, consequence
from tests.project.reference.markdown import code, first_line, table

INTRODUCTION = """# Errors

A command that fails prints one message to stderr and ends with an exit code. The HTTP API answers with a status and
a JSON object, with the name of the error as `error`. *Retry* means that the same request can succeed later. [Bad
inputs](bad-inputs.md) shows the messages for common mistakes.

Other exit codes: 0 means success, 2 also a mistyped command or option, {stopped} that you pressed Ctrl-C, {system}
that the computer refused something (a full disk, a missing permission), and {unexpected} an unknown fault of
Attune, with its id.
"""


def page() -> str:
    """The whole page."""
    late = errors.ProbeNotFitted  # it is made when it is first named
    own = dict.fromkeys(one for one in _below(AttuneError) if one.__module__ == errors.__name__)
    assert late in own
    rows = []
    for one in own:
        known = consequence(one)
        retry = "yes" if known.retry else ""
        rows.append([code(one.__name__), str(known.exit_code), str(known.status), retry, first_line(one.__doc__)])
    introduction = INTRODUCTION.format(stopped=exits.STOPPED, system=exits.SYSTEM, unexpected=exits.UNEXPECTED)
    return introduction + "\n" + table(["error", "exit code", "HTTP status", "retry", "meaning"], rows)


def _below(root: type[AttuneError]) -> Iterator[type[AttuneError]]:
    """``root`` and all classes below it, in the order of the code."""
    yield root
    for child in root.__subclasses__():
        yield from _below(child)
