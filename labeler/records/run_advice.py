"""What a learning round advises and works out beside its figures: ``runs.advice``, typed.

Rows of older versions lack parts, and still load: what is missing has its default. A figure stays the JSON that
``attune.models.evaluation.metrics.Metric.to_dict`` wrote, and is read where it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from attune.models.evaluation.audit_pace import Pace

T = TypeVar("T")
Figure = Mapping[str, Any]  # the JSON of a Metric


@dataclass(frozen=True)
class AuditPlan:
    """The stream's pace after a run, and counts of audit images: ``drawn``, ``left`` to draw, ``extra`` on demand,
    ``needed`` by the gate; ``owed``, ``left`` and ``needed`` are None in rows older than they are."""

    trained: int = 0
    owed: float | None = None
    share: float = 0.0
    why: str = ""
    drawn: int = 0
    left: int | None = None
    extra: int = 0
    needed: int | None = None

    @property
    def pace(self) -> Pace | None:
        """The stream's pace; None in a row older than the stream."""
        return None if self.owed is None else Pace(self.trained, self.owed, self.share, self.why)


@dataclass(frozen=True)
class ExpertReliability:
    """One expert: ``accuracy`` on images that several answered, the ``confusion`` matrix behind it, and the ``weight``
    of an answer in (0, 1]."""

    expert: str
    accuracy: Figure
    confusion: Sequence[Sequence[float]] = ()
    weight: float = 1.0


@dataclass(frozen=True)
class Reliance:
    """Each expert's reliability, worked out at so many ``answers`` of the attribute's ``revision``; ``weighed`` says
    whether answers may count less at all."""

    answers: int
    revision: int
    told: tuple[ExpertReliability, ...]
    weighed: bool = True

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reliance:
        """What the row holds."""
        experts = tuple(_fill(ExpertReliability, one) for one in data.get("told") or ())
        return cls(int(data.get("answers", 0)), int(data.get("revision", 0)), experts, bool(data.get("weighed", True)))


@dataclass(frozen=True)
class AgreesWithProbe:
    """``agrees``: the share of an expert's audit answers that are the probe's class."""

    expert: str
    agrees: Figure


@dataclass(frozen=True)
class BesideProbe:
    """Each expert beside the probe on audits; where one of them differs from the others: ``odd`` (who), ``sentence``
    (how) and ``without``, the average precision on everyone else's audit answers."""

    told: tuple[AgreesWithProbe, ...] = ()
    odd: str | None = None
    sentence: str | None = None
    without: Figure | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BesideProbe:
        """What the row holds."""
        experts = tuple(_fill(AgreesWithProbe, one) for one in data.get("told") or ())
        return cls(experts, data.get("odd"), data.get("sentence"), data.get("without"))


@dataclass(frozen=True)
class PoolRegion:
    """A region of the pool: its ``share`` of the images, its ``labels``, their ``positive`` share, and example ids."""

    share: float
    labels: int
    positive: float = 0.0
    examples: Sequence[str] = ()


@dataclass(frozen=True)
class Outlook:
    """What takes longer than a round, worked out at so many ``answers``: ``diversity`` in [0, 1], the ``regions``
    least looked at, and ``parity``, the figures ``expert``, ``probe`` and ``difference``."""

    answers: int | None = None
    diversity: float | None = None
    regions: tuple[PoolRegion, ...] = ()
    parity: Mapping[str, Figure] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outlook:
        """What the row holds."""
        regions = tuple(_fill(PoolRegion, one) for one in data.get("regions") or ())
        return cls(data.get("answers"), data.get("diversity"), regions, data.get("parity") or {})


@dataclass(frozen=True)
class PageAdvice:
    """What a page of images (``page``) and single images (``single``) were expected to teach a second, worked out at so
    many ``answers`` of the attribute's ``revision``; the seconds that an image of the page and a single answer take."""

    answers: int = 0
    revision: int = 0
    page: float = 0.0
    single: float = 0.0
    page_seconds: float = 0.0
    single_seconds: float = 0.0

    @property
    def is_page(self) -> bool:
        """Whether a page teaches at least as much a second."""
        return self.page >= self.single


@dataclass(frozen=True)
class RunAdvice:
    """When to stop, in one word (``state``) and one sentence (``advice``), with the ``evidence`` for it (older rows:
    lines of text); ``differs``: the e-mail address of an expert who differs from the others, if one does;
    ``thresholds`` by class and ``lines``, the JSON of ``attune.models.probes.thresholds.Line``, where a goal is set;
    ``suspected``: how many answers its list of suspected label errors told experts of, None while it is not made.
    """

    state: str = ""
    stop: bool = True
    advice: str = ""
    evidence: Mapping[str, Any] | Sequence[str] = field(default_factory=dict)
    expected_gain: float | None = None
    next_answers: int | None = None
    beside_probe: BesideProbe | None = None
    differs: str | None = None
    audits: AuditPlan | None = None
    thresholds: Mapping[str, float] | None = None
    lines: Sequence[dict[str, Any]] | None = None
    reliance: Reliance | None = None
    outlook: Outlook | None = None
    pages: PageAdvice | None = None
    suspected: int | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> RunAdvice:
        """What ``runs.advice`` holds; None and unknown keys are fine."""
        data = data or {}
        readers = {"beside_probe": BesideProbe.from_dict, "audits": _audits, "reliance": Reliance.from_dict}
        readers |= {"outlook": Outlook.from_dict, "pages": _pages}
        parts = {name: reader(data[name]) for name, reader in readers.items() if data.get(name)}
        text = str(data.get("advice") or data.get("text") or data.get("sentence") or "")
        fields = _known(cls, {**data, **dict.fromkeys(readers)})
        return cls(**{**fields, **parts, "advice": text, "evidence": data.get("evidence") or {}})

    def to_dict(self) -> dict[str, Any]:
        """The JSON that ``runs.advice`` holds; optional parts without a value are left out."""
        content = _plain(asdict(self))
        for name in ("beside_probe", "audits", "outlook"):
            if content[name] is not None:
                content[name] = {key: value for key, value in content[name].items() if value is not None}
        always = ("expected_gain", "next_answers")
        return {key: value for key, value in content.items() if value is not None or key in always}


def _audits(data: Mapping[str, Any]) -> AuditPlan:
    return _fill(AuditPlan, data)


def _pages(data: Mapping[str, Any]) -> PageAdvice:
    return _fill(PageAdvice, data)


def _known(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in kind.__dataclass_fields__ if name in data}


def _fill(kind: type[T], data: Mapping[str, Any]) -> T:
    return kind(**_known(kind, data))


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
