"""Where an attribute stands, and the one thing to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attune.labeler.people.viewer import Viewer
from attune.labeler.records.run_advice import RunAdvice
from attune.models.evaluation.audit_pace import BUYS_MUCH
from attune.models.labels.class_coverage import listed

SEEDING, LABELLING, SETTLED, PUBLISHED, UNDEFINED = "seeding", "labelling", "settled", "published", "needs definition"
DIFFERS = "one expert differs"
ABOUT = {
    SEEDING: "Nobody has answered yet: it learns from the first answers on.",
    LABELLING: "Every answer teaches the probe, and the probe picks what to ask next.",
    SETTLED: "More answers would hardly change the probe.",
    PUBLISHED: "A version is the champion: pipelines pull it.",
    UNDEFINED: "Experts disagree too much for any probe to learn: the definition needs work.",
    DIFFERS: "One expert answers otherwise than the rest: find out why before anything else is changed.",
}
AUDIT_SIZE = 60  # questions that bring most intervals below .35
_SETTLED_WORDS = {"settled", "narrow", "exhausted", "stop"}
_HOPELESS_WORDS = {"hopeless", "needs definition", "needs-definition"}


@dataclass(frozen=True)
class Advice:
    """One piece of advice with the evidence for it, from the newest run."""

    text: str
    evidence: Sequence[str] = ()


@dataclass(frozen=True)
class Step:
    """What to do next: a sentence, and a place or a command or both.

    Places are ``queue``, ``contested``, ``review``, ``people``, ``measure``, ``experts`` and ``attribute``.
    """

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
    advice: RunAdvice
    unanswered: Sequence[str] = ()  # classes that nobody has answered, where there are answers

    @property
    def word(self) -> str:
        """The newest run's advice in one word."""
        return self.advice.state.lower()

    @property
    def settled(self) -> bool:
        """Whether the newest run says that more answers would not help."""
        return self.word in _SETTLED_WORDS


def state(facts: Facts) -> str:
    """One of the six states; a bad definition, or one expert who differs, is said even of a published attribute."""
    if facts.word == "outlier":
        return DIFFERS
    if facts.word in _HOPELESS_WORDS:
        return UNDEFINED
    if facts.champion is not None:
        return PUBLISHED
    if facts.settled:
        return SETTLED
    return SEEDING if facts.last_run is None or not facts.answers else LABELLING


_EVIDENCE = {
    "labels": "{:.0f} labels trained on",
    "movement": "the ranking moved by {:.3f} of average precision since half the labels",
    "movement_before": "by {:.3f} at the look before",
    "width": "the audit's interval is {:.2f} wide",
    "remaining_share": "nobody was asked yet about a share of {:.2f} of the positives; the probe ranks those",
    "alpha": "the experts' agreement (alpha) is {:.2f}",
    "alpha_hi": "at most {:.2f}",
    "alpha_without_one": "without the expert who differs most it is {:.2f}",
}


def told_to(viewer: Viewer, held: RunAdvice) -> RunAdvice:
    """A run's advice as ``viewer`` may read it: who answers how, and that one expert differs, is for those who manage.

    Beside the list of contested images even that would say who.
    """
    if viewer.manages:
        return held
    held = replace(held, differs=None, beside_probe=None, reliance=None)
    if held.state.lower() != "outlier":
        return held
    evidence = held.evidence
    if isinstance(evidence, Mapping):
        evidence = {key: value for key, value in evidence.items() if key != "alpha_without_one"}
    text = "Pause: the experts disagree too much for a probe to learn what they mean."
    return replace(held, state="hopeless", advice=text, evidence=evidence)


def advice(held: RunAdvice) -> Advice | None:
    """A run's advice as a sentence and its evidence in words; None where the run gave none."""
    if not held.advice:
        return None
    evidence = held.evidence
    if isinstance(evidence, Mapping):
        evidence = [_EVIDENCE.get(key, key + ": {:.3g}").format(value) for key, value in evidence.items() if _is(value)]
    elif isinstance(evidence, str):
        evidence = [evidence]
    return Advice(held.advice, tuple(str(line) for line in evidence))


def _is(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def next_step(facts: Facts, viewer: Viewer) -> Step:
    """The one next step for this viewer."""
    return _managers_step(facts) if viewer.manages else _experts_step(facts)


def _experts_step(facts: Facts) -> Step:
    if not facts.own_queue:
        return Step("You have no queue for this question. Ask its owner to add you.")
    if state(facts) in (UNDEFINED, DIFFERS):
        return Step("Read the definition again, and look at the images you disagree on.", place="contested")
    if facts.settled:
        return Step("Nothing is urgent: more answers would hardly change the probe.", place="queue")
    return Step("Answer the next image.", place="queue")


def _measure(facts: Facts) -> str:
    """Why an audit batch is the next step; empty where it is not."""
    held, evidence = facts.advice.audits, facts.advice.evidence
    if held is None:
        return ""
    if held.trained >= BUYS_MUCH and held.drawn < (held.needed or 0):
        return f"Measure it: {held.drawn} of the {held.needed} audit answers that the gate waits for are asked."
    width = evidence.get("width") if isinstance(evidence, Mapping) else None
    if facts.word == "settled" and not facts.advice.stop:
        told = "there is no interval yet" if width is None else f"its interval is still {width:.2f} wide"
        return f"Measure it: the probe has settled, and {told}."
    return ""


def _managers_step(facts: Facts) -> Step:
    name, where = facts.name, state(facts)
    if not facts.pool:
        return Step("Put images into the pool.", command="attune assets add PATH")
    if not facts.experts:
        return Step("Give an expert a queue.", place="people", command=f"attune expert add EMAIL --attribute {name}")
    if where == DIFFERS:
        return Step("See who differs, and talk with them.", place="experts")
    if where == UNDEFINED:
        return Step("Sharpen the definition; start from the images that experts disagree on.", place="contested")
    if not facts.open_tasks and where in (SEEDING, LABELLING):
        return Step("Fill the queues.", command=f"attune batch {name} --size 40")
    if where == SEEDING:
        return Step("The queues are full: the experts can begin.", place="attribute")
    if where in (LABELLING, SETTLED) and (text := _measure(facts)):
        return Step(text, place="measure", command=f"attune audit {name} --size {AUDIT_SIZE}")
    if where == LABELLING:
        return Step("Let the experts go on; quality is shown with its interval.", place="attribute")
    if where == SETTLED and facts.unanswered:
        text = f"Ask for images of {listed(facts.unanswered)}: nobody has answered that yet."
        return Step(text, place="attribute", command=f"attune batch {name} --size 40")
    if where == SETTLED:
        command = f"attune probes promote {name} {facts.last_run} --reason '…'"
        return Step("Review it, then publish it.", place="review", command=command)
    return Step("Pull it.", command=f"attune pull {name}@champion --to DIR")
