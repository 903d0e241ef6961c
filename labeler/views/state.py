"""The state of an attribute, and the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attune.labeler.people.viewer import Viewer
from attune.labeler.records.run_advice import RunAdvice
from attune.models.evaluation.audit_pace import BUYS_MUCH
from attune.models.labels.class_coverage import quoted_list

SEEDING, LABELLING, SETTLED, PUBLISHED, UNDEFINED = "seeding", "labelling", "settled", "published", "needs definition"
DIFFERS = "one expert differs"
ABOUT = {
    SEEDING: "No expert has answered yet. Training starts after the first answers of two classes.",
    LABELLING: "Every answer improves the probe. The probe then chooses the next images.",
    SETTLED: "More answers would hardly change the probe.",
    PUBLISHED: "A version is in use. Pipelines can pull it.",
    UNDEFINED: "The experts disagree too much to train a good probe. Improve the definition.",
    DIFFERS: "One expert disagrees with the others. Find out why first.",
}
AUDIT_SIZE = 60  # audit answers that bring most intervals below .35
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

    Places are ``queue``, ``disputed``, ``review``, ``people``, ``measure``, ``experts``, ``queues``, ``jobs``,
    ``images``, ``fill`` (a run fills the queues), ``champion``, ``feature`` (that the question checks) and ``ask``
    (experts answer, and can be asked to).
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
    unanswered: Sequence[str] = ()  # classes without an answer, where there are answers
    filling: bool = False  # whether a job that makes or fills its queues waits or runs
    paused: bool = False  # whether an owner stopped the viewer's own queue
    stopped: int = 0  # of the experts, how many have a stopped queue
    checks: str = ""  # the measured feature that the question checks, if it checks one

    @property
    def word(self) -> str:
        """The newest run's advice in one word."""
        return self.advice.state.lower()

    @property
    def settled(self) -> bool:
        """Whether the newest run says that more answers would not help."""
        return self.word in _SETTLED_WORDS

    @property
    def being_filled(self) -> bool:
        """Whether there is nothing to answer only because a worker has not made it yet."""
        return self.filling and not (self.experts and self.open_tasks)


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


TO_EXPERTS = {
    "labelling": "Continue labelling. Every answer improves the probe.",
    "narrow": "The quality is known well enough to publish the probe. An owner decides that.",
    "settled": "More answers would hardly change the probe.",
    "exhausted": "Almost all images to be found have an answer. New images come when an owner adds some.",
    "hopeless": "Pause. The experts disagree too much to train a good probe.",
}
_EVIDENCE = {
    "labels": "the probe was trained on {:.0f} labels",
    "movement": "since the probe had half as many labels, the ranking changed by {:.3f} (in average precision)",
    "movement_before": "at the previous check, the change was {:.3f}",
    "width": "the audit interval is {:.2f} wide",
    "remaining_share": "about {:.0%} of the positive images have no answer yet",
    "alpha": "the experts' agreement (alpha) is {:.2f}",
    "alpha_hi": "the upper end of its interval is {:.2f}",
    "alpha_without_one": "without the expert who differs most, the agreement is {:.2f}",
}


def visible_advice(viewer: Viewer, run_advice: RunAdvice) -> RunAdvice:
    """A run's advice as ``viewer`` may read it: an expert its state, in a sentence without figures.

    Only owners read how each expert answers, or that one differs: beside the list of disputed images even that would
    say who. And the evidence moves with the number of labels, which tells the reserved titles: answers on them are no
    labels.
    """
    if viewer.manages:
        return run_advice
    word = run_advice.state.lower()
    shown = "hopeless" if word == "outlier" else word
    return RunAdvice(state=shown, stop=run_advice.stop, advice=TO_EXPERTS.get(shown, "") if run_advice.advice else "")


def advice(run_advice: RunAdvice) -> Advice | None:
    """A run's advice as a sentence and its evidence in words; None where the run gave none."""
    if not run_advice.advice:
        return None
    evidence = run_advice.evidence
    if isinstance(evidence, Mapping):
        lines = {
            key: _EVIDENCE.get(key, key + ": {:.3g}").format(value) for key, value in evidence.items() if _is(value)
        }
        evidence = [line.replace("%", " %") for line in lines.values()]
    elif isinstance(evidence, str):
        evidence = [evidence]
    return Advice(run_advice.advice, tuple(str(line) for line in evidence))


def _is(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def next_step(facts: Facts, viewer: Viewer) -> Step:
    """The one next step for this viewer."""
    return _managers_step(facts) if viewer.manages else _experts_step(facts)


def _experts_step(facts: Facts) -> Step:
    if facts.paused:
        return Step(
            "An owner has paused this question for you. Your answers are kept. New images come when the owner starts "
            "your queue again."
        )
    if not facts.own_queue:
        return Step("You have no queue for this question. Ask an owner to add you.")
    if state(facts) in (UNDEFINED, DIFFERS):
        return Step("Read the definition again. Then look at the disputed images.", place="disputed")
    if facts.settled:
        return Step("Nothing is urgent. More answers would hardly change the probe.", place="queue")
    return Step("Answer the next image.", place="queue")


def _measure(facts: Facts) -> str:
    """Why an audit batch is the next step; empty where it is not."""
    audit_plan, evidence = facts.advice.audits, facts.advice.evidence
    if audit_plan is None or not facts.experts:
        return ""
    if audit_plan.trained >= BUYS_MUCH and audit_plan.drawn < (audit_plan.needed or 0):
        counts = f"a gate needs {audit_plan.needed}, and only {audit_plan.drawn} are requested so far"
        return f"Request audit answers: {counts}."
    width = evidence.get("width") if isinstance(evidence, Mapping) else None
    if facts.word == "settled" and not facts.advice.stop:
        reason = "it has no interval yet" if width is None else f"its interval is still {width:.2f} wide"
        return f"Request audit answers: the probe has settled, but {reason}."
    return ""


def _managers_step(facts: Facts) -> Step:
    name, where = facts.name, state(facts)
    if not facts.pool:
        return Step("Add images to the pool.", place="images", command="attune assets add PATH")
    if facts.being_filled:
        return Step("Wait a moment: a worker is creating and filling the queues.", place="jobs")
    if not facts.experts and where in (SEEDING, LABELLING):
        ended = "No expert has an open queue. Give one to an expert, so that labelling goes on."
        text = ended if facts.answers else "Give an expert a queue."
        return Step(text, place="people", command=f"attune expert add EMAIL --attribute {name}")
    if facts.experts and facts.stopped == facts.experts:
        return Step("Every queue is stopped. Start one, so that experts can go on.", place="queues")
    if where == DIFFERS:
        return Step("See which expert differs, and talk to them.", place="experts")
    if where == UNDEFINED:
        return Step("Improve the definition. Start with the disputed images.", place="disputed")
    if not facts.open_tasks and where in (SEEDING, LABELLING):
        return _empty_queues(facts)
    if where == SEEDING:
        return _experts_turn(facts, "The queues are full. The experts can start.")
    if where in (LABELLING, SETTLED) and (text := _measure(facts)):
        return Step(text, place="measure", command=f"attune audit {name} --size {AUDIT_SIZE}")
    if where == LABELLING:
        return _experts_turn(facts, "Let the experts continue.")
    if where == SETTLED and facts.unanswered and facts.experts:
        text = f"Fill the queues again: no expert has answered {quoted_list(facts.unanswered)} yet."
        return Step(text, place="fill", command=f"attune batch {name} --size 40")
    if where == SETTLED:
        command = f"attune probes promote {name} {facts.last_run} --reason '…'"
        return Step("Review the new version, then use it.", place="review", command=command)
    command = f"attune pull {name}@champion --to DIR"
    return Step("See what the version in use finds. Programs can get it.", place="champion", command=command)


def _empty_queues(facts: Facts) -> Step:
    if facts.checks and facts.answers:
        text = f"All images are answered. See how often people agree with the measured feature {facts.checks}."
        return Step(text, place="feature", command=f"attune features show {facts.checks}")
    return Step("Fill the queues.", place="fill", command=f"attune batch {facts.name} --size 40")


def _experts_turn(facts: Facts, text: str) -> Step:
    """The experts answer: an owner who is one of them, too."""
    return Step(f"{text} You are one of them.", place="queue") if facts.own_queue else Step(text, place="ask")
