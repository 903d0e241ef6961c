"""Where an attribute stands, and the one thing to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeler.views.viewer import Viewer

SEEDING, LABELLING, SETTLED, PUBLISHED, UNDEFINED = "seeding", "labelling", "settled", "published", "needs definition"
ABOUT = {
    SEEDING: "No probe has been learned yet: it begins with the first answers.",
    LABELLING: "Every answer teaches the probe, and the probe picks what to ask next.",
    SETTLED: "More answers would hardly change the probe.",
    PUBLISHED: "A version is the champion: pipelines pull it.",
    UNDEFINED: "Experts disagree too much for any probe to learn: the definition needs work.",
}
_SETTLED_WORDS = {"settled", "narrow", "exhausted", "stop"}
_HOPELESS_WORDS = {"hopeless", "needs definition", "needs-definition"}


@dataclass(frozen=True)
class Advice:
    """One piece of advice with the evidence for it, from the newest run."""

    text: str
    evidence: Sequence[str] = ()


@dataclass(frozen=True)
class Step:
    """What to do next: a sentence, a place (``queue``, ``contested``, ``review``, ``attribute``) and, or, a command."""

    text: str
    place: str | None = None
    command: str | None = None


@dataclass(frozen=True)
class Facts:
    """What the state of one attribute is read from."""

    name: str
    experts: int
    open_tasks: int
    own_queue: bool
    pool: int
    answers: int
    last_run: int | None
    champion: int | None
    advice: Mapping[str, Any]

    @property
    def word(self) -> str:
        """The newest run's advice in one word."""
        return str(self.advice.get("state", "")).lower()

    @property
    def settled(self) -> bool:
        """Whether the newest run says that more answers would not help."""
        return self.word in _SETTLED_WORDS


def state(facts: Facts) -> str:
    """One of the five states; a bad definition is said even of a published attribute."""
    if facts.word in _HOPELESS_WORDS:
        return UNDEFINED
    if facts.champion is not None:
        return PUBLISHED
    if facts.settled:
        return SETTLED
    return SEEDING if facts.last_run is None else LABELLING


def advice(held: Mapping[str, Any]) -> Advice | None:
    """A run's advice as a sentence and its evidence; None where the run gave none."""
    text = held.get("advice") or held.get("text") or held.get("sentence")
    if not text:
        return None
    evidence = held.get("evidence") or []
    if isinstance(evidence, Mapping):
        evidence = [
            f"{key}: {value:.3g}" if isinstance(value, float) else f"{key}: {value}" for key, value in evidence.items()
        ]
    elif isinstance(evidence, str):
        evidence = [evidence]
    return Advice(str(text), tuple(str(line) for line in evidence))


def next_step(facts: Facts, viewer: Viewer) -> Step:
    """The one next step for this viewer."""
    return _managers_step(facts) if viewer.manages else _experts_step(facts)


def _experts_step(facts: Facts) -> Step:
    if not facts.own_queue:
        return Step("You have no queue for this question. Ask its owner to add you.")
    if state(facts) == UNDEFINED:
        return Step("Read the definition again, and look at the images you disagree on.", place="contested")
    if facts.settled:
        return Step("Nothing is urgent: more answers would hardly change the probe.", place="queue")
    return Step("Answer the next image.", place="queue")


def _managers_step(facts: Facts) -> Step:
    name, where = facts.name, state(facts)
    if not facts.pool:
        return Step("Put images into the pool.", command="attune assets add PATH")
    if not facts.experts:
        return Step("Give an expert a queue.", command=f"attune expert add EMAIL --attribute {name}")
    if where == UNDEFINED:
        return Step("Sharpen the definition; start from the images that experts disagree on.", place="contested")
    if not facts.open_tasks and where in (SEEDING, LABELLING):
        return Step("Fill the queues.", command=f"attune batch {name} --size 40")
    if where == SEEDING:
        return Step("The queues are full: the experts can begin.", place="attribute")
    if where == LABELLING:
        return Step("Let the experts go on; quality is shown with its interval.", place="attribute")
    if where == SETTLED:
        command = f"attune probes promote {name} {facts.last_run} --reason '…'"
        return Step("Look at it beside the champion, then publish it.", place="review", command=command)
    return Step("Pull it.", command=f"attune pull {name}@champion --to DIR")
