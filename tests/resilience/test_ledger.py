"""A campaign sees a person refused who may answer, and takes an answer that came too late for what it is."""

from __future__ import annotations

import pytest

from attune.labeler.label_studio.client import LabelStudio, refused
from attune.models.errors import LabelStudioRefused
from tests.resilience import ledger
from tests.resilience.ledger import Answerer, Ledger

LATE = {"detail": "Taken away. Reload the page.", "display_context": {"reason": "PAUSED"}}
SHUT = {"detail": "This image is not yours."}


class Told:
    """A person's session, and the administrator's, of a Label Studio that refuses an answer."""

    def __init__(self, error: LabelStudioRefused, project: int) -> None:
        self.error, self.project, self.asked = error, project, 0

    def answer(self, *_: object, **__: object) -> int:
        """Refuse it."""
        self.asked += 1
        raise self.error

    def request(self, *_: object) -> dict[str, int]:
        """The task."""
        return {"project": self.project}

    def close(self) -> None:
        """End the session."""

    def __enter__(self) -> Told:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.mark.parametrize(
    ("error", "project", "wrong"),
    [
        (refused(403, LATE), 7, False),
        (refused(404, SHUT), 7, False),
        (refused(403, SHUT), 8, False),
        (refused(403, SHUT), 7, True),
    ],
    ids=["too late", "gone", "its number is another's", "wrongly"],
)
def test_a_refusal_is_a_fault_only_where_the_question_is_the_persons(
    monkeypatch: pytest.MonkeyPatch, error: LabelStudioRefused, project: int, wrong: bool
) -> None:
    told, kept = Told(error, project), Ledger()
    monkeypatch.setattr(ledger, "time", Clock(0.0, 1.0, 2.0, ledger.PATIENCE_SECONDS))
    monkeypatch.setattr(Answerer, "_login", lambda _: told)
    monkeypatch.setattr(LabelStudio, "connect", lambda _: told)
    one = Answerer(None, "ana@example.org", 7, ("yes", "no"), kept)  # type: ignore[arg-type]
    assert one._give(5, "yes") is None
    assert bool(kept.refused) == wrong
    assert told.asked == (2 if wrong else 1), "as after any fault, it is tried again"


class Clock:
    """Times that are told, and no sleep."""

    def __init__(self, *times: float) -> None:
        self.times = iter(times)

    def monotonic(self) -> float:
        """The next one."""
        return next(self.times)

    def sleep(self, _: float) -> None:
        """Not at all."""
