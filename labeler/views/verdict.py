"""The verdict of a review: one sentence that says what to do with a run, and why, before any figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.views.quality import Quality
from attune.models.evaluation.audit_pace import answers_to_width
from attune.models.evaluation.metrics import FIRST
from attune.models.text import counted

Kind = Literal["champion", "better", "worse", "same", "more", "good", "weak", "unknown"]

BATCH = 30  # audit answers to ask for where the number alone does not say what is missing
MOST = 120  # to ask for at once: then one looks again, as a difference may show long before the interval is narrow
WIDE = 0.2  # of the difference: a wider interval says neither that two runs differ nor that they do not


@dataclass(frozen=True)
class Compared:
    """What a verdict is made of; ``version``: the run is published.

    ``difference`` is average precision of the run minus the champion's on the same audit answers; None without a
    champion or where the run is the champion. ``incomparable`` says why the run or the champion cannot be judged by
    today's answers at all, as half a sentence, or is empty. ``answered`` audit answers are in, ``waiting`` audit tasks
    are open in the queues, ``left`` images can still be drawn (None: not known). ``changed``: how many audited images
    the run gets right and the champion wrong, and how many the other way round; None where one has no scores today.
    """

    candidate: int
    champion: int | None
    retired: bool
    quality: Quality
    difference: Quality | None
    gates: Sequence[Gate]
    incomparable: str
    answered: int
    waiting: int = 0
    left: int | None = None
    version: bool = False
    changed: tuple[int, int] | None = None

    @property
    def older(self) -> bool:
        """Whether the champion learned later."""
        return self.champion is not None and self.candidate < self.champion

    @property
    def noun(self) -> str:
        """The run as a sentence begins with it: new as long as it is neither published nor older than the champion."""
        return f"{'Version' if self.version or self.older else 'New version'} {self.candidate}"

    @property
    def exchanged(self) -> str:
        """What changes on the audited images, as a sentence with a space behind it; empty where that is not known."""
        if self.changed is None:
            return ""
        won, lost = self.changed
        if not won and not lost:
            return f"It is right and wrong about the same audited images as version {self.champion}. "
        return (
            f"It gets {counted(won, 'audited image')} right that version {self.champion} gets wrong, and "
            f"{f'{lost:,}' if lost else 'none'} wrong that version {self.champion} gets right. {self._apart}"
        )

    @property
    def _apart(self) -> str:
        """Why the counts say the reverse of the difference, where they do."""
        if self.changed is None or self.difference is None or not self.difference.value:
            return ""
        won, lost = self.changed
        if (won - lost) * self.difference.value >= 0:
            return ""
        return (
            "These counts and the ranking disagree: audits have more likely images than the pool. "
            "Average precision corrects for that, and counts the whole ranking. "
        )

    @property
    def needed(self) -> int:
        """Audit answers that the gate asks for, at least those that any metric needs."""
        return max(FIRST, *(int(gate.bound) for gate in self.gates if gate.name == "audit_answers"), 0)


@dataclass(frozen=True)
class Verdict:
    """``sentence`` is the verdict, ``why`` the reason, ``anyway`` what a promotion would mean all the same.

    ``ask``: audit answers to ask for, 0 where none would help or enough wait. ``promotes``: whether the page may offer
    the promotion as what to do next.
    """

    kind: Kind
    sentence: str
    why: str
    anyway: str = ""
    ask: int = 0
    promotes: bool = False


def verdict(compared: Compared) -> Verdict:
    """The verdict on a run. It never promotes a run that is retired, older or not better than the champion, nor one
    that an enforced gate stops."""
    if compared.champion == compared.candidate:
        why = "Programs get this version. To compare another one with it, choose it below."
        return Verdict("champion", f"Version {compared.candidate} is in use.", why)
    found = _first(compared) if compared.champion is None else _beside(compared)
    stopping = [gate for gate in compared.gates if gate.stops]
    if compared.retired:
        return replace(found, why=f"{found.why} This version is retired, so you cannot use it.", promotes=False)
    if found.promotes and stopping:
        noun = "an enforced gate stops it" if len(stopping) == 1 else "enforced gates stop it"
        sentence = f"{found.sentence[:-1]}, but {noun}."
        return replace(found, sentence=sentence, anyway="You override the gates.", promotes=False)
    return found


def _beside(compared: Compared) -> Verdict:
    """Beside a champion."""
    difference, noun = compared.difference, compared.noun
    if compared.incomparable:
        why = f"The audit answers do not measure both: {compared.incomparable}."
        return Verdict("unknown", f"{noun} cannot be compared with the version in use.", why, _BLIND)
    if difference is None or difference.value is None or difference.lo is None or difference.hi is None:
        reason = difference.reason if difference is not None else ""
        why = f"The difference from the version in use is unknown{f': {reason}' if reason else ''}."
        return _more(compared, why, max(compared.needed - compared.answered, 0) or BATCH)
    answers = counted(difference.n, "audit answer")
    spread = f"{_signed(difference.lo)} to {_signed(difference.hi)}, on the same {answers}"
    if difference.lo > 0:
        why = f"It ranks images better: average precision is higher by {difference.value:.2f} ({spread})."
        why = f"{compared.exchanged}{why}"
        if compared.older:
            return Verdict("better", f"{noun} is older, but better than the version in use.", why, _BACK)
        return Verdict("better", f"{noun} is better than the version in use.", why, promotes=True)
    if difference.hi < 0:
        why = f"It ranks images worse: average precision is lower by {-difference.value:.2f} ({spread})."
        why = f"{compared.exchanged}{why}"
        return Verdict("worse", f"{noun} is worse than the version in use.", why, "Programs get a worse version.")
    why = f"{compared.exchanged}The difference in average precision is {_signed(difference.value)} ({spread})."
    needed = compared.needed - difference.n
    wider = answers_to_width(difference.n, difference.hi - difference.lo, WIDE)
    if needed > 0 or wider:
        return _more(compared, f"{why} Either of the two can be the better one.", needed if needed > 0 else wider)
    why = f"{why} Version {compared.champion} can stay in use."
    return Verdict("same", f"No measurable difference between {_lower(noun)} and the version in use.", why, _SAME)


def _first(compared: Compared) -> Verdict:
    """Without a champion: whether it is good enough by the gates."""
    noun, quality = compared.noun, compared.quality
    if compared.incomparable and not quality.known:
        why = f"There is no quality estimate: {compared.incomparable}."
        return Verdict("unknown", f"The quality of {_lower(noun)} is unknown.", why, _BLIND)
    missing = max(compared.needed - max(compared.answered, quality.n), 0)
    if not quality.known:
        why = "No version is in use yet, and the quality of this one is unknown."
        if quality.reason and quality.n >= FIRST:
            why = f"{why[:-1]}: {quality.reason}."
        return _more(compared, why, missing or BATCH)
    judged = [gate for gate in compared.gates if gate.applies]
    failed = [gate for gate in judged if gate.passed is False]
    if missing and any(gate.name == "audit_answers" for gate in failed):
        why = f"No version is in use yet. So far, {counted(quality.n, 'audit answer')} measured this one."
        return _more(compared, why, missing)
    passed = sum(gate.passed is True for gate in judged)
    if failed:
        why = f"No version is in use yet. {counted(len(failed), 'gate')} of {len(judged)} failed."
        return Verdict("weak", f"{noun} is not good enough yet.", why, "Programs get a version below your bounds.")
    unknown = len(judged) - passed
    why = f"No version is in use yet. {counted(passed, 'gate')} passed and none failed"
    why += f", {unknown} {'is' if unknown == 1 else 'are'} unknown." if unknown else "."
    return Verdict("good", f"{noun} is good enough to be used.", why, promotes=True)


def _more(compared: Compared, why: str, missing: int) -> Verdict:
    """Not enough audit answers: how many more to ask for, less those that wait, at most those that are left."""
    number = _round_up(missing) if missing > BATCH else missing
    ask = max(0, min(number, MOST) - compared.waiting)
    if compared.left is not None and 0 < compared.left < ask:
        why = f"{why} Only {counted(compared.left, 'reserved image')} {'is' if compared.left == 1 else 'are'} left."
    ask = ask if compared.left is None else min(ask, compared.left)
    if ask:
        sentence = f"Not enough audit answers to tell. Request {ask} more."
    elif compared.waiting:
        why = f"{why} {counted(compared.waiting, 'audit task')} {'is' if compared.waiting == 1 else 'are'} open."
        sentence = "Not enough audit answers to tell. Wait until the experts have answered."
    else:
        why = f"{why} No reserved image is left, so add images first."
        sentence = "Not enough audit answers to tell."
    return Verdict("more", sentence, why, _BLIND, ask)


_BLIND = "Programs get a version that may be worse."
_SAME = "Programs get another version, and nothing measurable changes."
_BACK = "Programs get an older version."


def _round_up(number: int) -> int:
    return -(-number // 10) * 10


def _lower(noun: str) -> str:
    return noun[0].lower() + noun[1:]


def _signed(value: float) -> str:
    text = f"{value:+.2f}".replace("-", "\u2212")
    return "0.00" if text[1:] == "0.00" else text
