"""Every error that Attune raises on purpose, and what each means to a shell, a browser and a job queue.

AttuneError
├ SettingsError (ValueError)
├ ExtraNotInstalled (ImportError)
├ DataError (ValueError)            ConflictingLabels · NotEnoughLabels · SplitLeakage · UnreadableItem
│                                   · UnwritableFile
├ PoolError (ValueError)            EmptyPool · PoolExhausted
├ EncoderError                      UnknownEncoder · EncoderMismatch · EncoderNotInstalled · WeightsUnavailable
├ ProbeError                        ProbeNotFitted · BadProbeFile · GateFailed
├ CatalogError                      UnknownProbe · VersionExists · RetiredVersion · DigestMismatch
│                                   · CatalogUnreachable · NotInCache
├ RecordsError                      UnknownAsset · UnknownAttribute · UnknownExpert · AlreadyThere
├ AccessError (PermissionError)     BadLink · ExpiredLink
├ LabelStudioError                  LabelStudioUnreachable · LabelStudioRefused · BadWebhookSecret
│                                   · UnknownAnnotationShape
├ JobError                          JobCancelled · JobSuperseded · JobLost
└ ServiceError                      PortBusy · ServiceDown
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.exceptions import NotFittedError


class AttuneError(Exception):
    """The root: whatever Attune raises on purpose."""


class SettingsError(AttuneError, ValueError):
    """A setting has a value that cannot be used; names the variable and never prints a secret."""


class ExtraNotInstalled(AttuneError, ImportError):
    """A package of an extra is not installed; names the extra and the command that installs it."""


class DataError(AttuneError, ValueError):
    """Input that cannot be used as it is."""


class ConflictingLabels(DataError):
    """One asset was given two labels where one is needed."""


class NotEnoughLabels(DataError):
    """Too few labels, or of too few classes, for what was asked; says how many there are and are needed."""


class SplitLeakage(DataError):
    """An asset or a title stands on both sides of a split."""


class UnreadableItem(DataError):
    """One file or row that cannot be read; the rest goes on. ``reason`` is a few words that summaries count by."""

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class UnwritableFile(DataError):
    """A file that a user named cannot be written; says the path, why, and what to do."""


class PoolError(AttuneError, ValueError):
    """A query that the pool cannot answer."""


class EmptyPool(PoolError):
    """There is nothing to choose from."""


class PoolExhausted(PoolError):
    """More was asked for than there is; says how many are available and were requested."""


class EncoderError(AttuneError):
    """An encoder could not be used."""


class UnknownEncoder(EncoderError, LookupError):
    """No encoder has this name; lists near ones."""


class EncoderMismatch(EncoderError):
    """Vectors of one encoder met a probe or a store of another; carries both fingerprints."""


class EncoderNotInstalled(EncoderError, ImportError):
    """The package that an encoder needs is not installed."""


class WeightsUnavailable(EncoderError):
    """The encoder's weights cannot be had from here; says the ways out."""


class ProbeError(AttuneError):
    """A probe could not be used."""


if TYPE_CHECKING:

    class ProbeNotFitted(ProbeError, NotFittedError):
        """The probe has not been fitted yet."""

else:

    def __getattr__(name: str) -> Any:
        """Make ``ProbeNotFitted`` when it is first named: scikit-learn takes a second to load, `pull` needs none."""
        if name != "ProbeNotFitted":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from sklearn.exceptions import NotFittedError

        made = type(
            name,
            (ProbeError, NotFittedError),
            {"__doc__": "The probe has not been fitted yet.", "__module__": __name__},
        )
        return globals().setdefault(name, made)


class BadProbeFile(ProbeError, ValueError):
    """A probe's file does not hold what the format says."""


class GateFailed(ProbeError):
    """A promotion gate was not passed; says which, the value and the bound."""


class NoAnswers(ProbeError):
    """A class has no answer, so a version would say nothing of it; names the class and the way to a draft."""


class CatalogError(AttuneError):
    """The feature catalog could not do what was asked."""


class UnknownProbe(CatalogError, LookupError):
    """No such attribute, version or alias in the catalog."""


class VersionExists(CatalogError):
    """A version is immutable: it is there already, with other content."""


class RetiredVersion(CatalogError):
    """The version was retired; says when and why."""


class DigestMismatch(CatalogError):
    """Bytes do not have the digest that the manifest states."""


class CatalogUnreachable(CatalogError, ConnectionError):
    """The catalog's address does not answer."""


class NotInCache(CatalogError, FileNotFoundError):
    """Offline, and not in the cache: it may exist remotely."""


class RecordsError(AttuneError):
    """The records do not hold, or already hold, what was named."""


class UnknownAsset(RecordsError, LookupError):
    """No asset has this id."""


class UnknownAttribute(RecordsError, LookupError):
    """No attribute has this name; lists near ones."""


class UnknownExpert(RecordsError, LookupError):
    """No expert has this address; lists near ones."""


class AlreadyThere(RecordsError, ValueError):
    """The name is taken."""


class AccessError(AttuneError, PermissionError):
    """Something was asked for that its asker may not have."""


class BadLink(AccessError):
    """A signed address that nobody here has signed, or that was altered."""


class ExpiredLink(AccessError):
    """A signed address whose days are over."""


class LabelStudioError(AttuneError):
    """Label Studio could not do what was asked."""


class LabelStudioUnreachable(LabelStudioError, ConnectionError):
    """Label Studio does not answer at its address."""


class LabelStudioRefused(LabelStudioError):
    """Label Studio answered with an error; carries the status and the body, never the headers."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class BadWebhookSecret(LabelStudioError, PermissionError):
    """A webhook arrived without the right secret."""


class UnknownAnnotationShape(LabelStudioError, ValueError):
    """An annotation does not have the form that the attribute's project makes."""


class JobError(AttuneError):
    """A job could not be done."""


class JobCancelled(JobError):
    """Somebody cancelled the job."""


class JobSuperseded(JobError):
    """A newer holder took the lock: this job's results must not be written."""


class JobLost(JobError):
    """The job's record is gone or its worker died."""


class ServiceError(AttuneError):
    """A part of the system (Redis, Label Studio, the web app, workers) is not as it must be."""


class PortBusy(ServiceError):
    """A port that a part needs is taken; names the part, the port and its setting."""


class ServiceDown(ServiceError, ConnectionError):
    """A part does not answer, or died at its start; names its log."""


@dataclass(frozen=True)
class Consequence:
    """What an error means outside: HTTP status, the command's exit code, and whether a retry may help."""

    status: int
    exit_code: int
    retry: bool


# The nearest class up the tree counts: an error without a row of its own has its parent's.
CONSEQUENCES: dict[type[AttuneError], Consequence] = {
    AttuneError: Consequence(500, 1, False),
    SettingsError: Consequence(500, 2, False),
    DataError: Consequence(422, 3, False),
    PoolError: Consequence(409, 4, False),
    EncoderError: Consequence(409, 5, False),
    UnknownEncoder: Consequence(404, 5, False),
    WeightsUnavailable: Consequence(503, 5, True),
    ProbeError: Consequence(409, 6, False),
    BadProbeFile: Consequence(422, 6, False),
    CatalogError: Consequence(409, 7, False),
    UnknownProbe: Consequence(404, 7, False),
    RetiredVersion: Consequence(410, 7, False),
    CatalogUnreachable: Consequence(503, 7, True),
    NotInCache: Consequence(404, 7, False),
    RecordsError: Consequence(404, 8, False),
    AlreadyThere: Consequence(409, 8, False),
    AccessError: Consequence(403, 12, False),
    ExpiredLink: Consequence(410, 12, False),
    LabelStudioError: Consequence(502, 9, False),
    LabelStudioUnreachable: Consequence(503, 9, True),
    BadWebhookSecret: Consequence(403, 9, False),
    UnknownAnnotationShape: Consequence(422, 9, False),
    JobError: Consequence(409, 10, False),
    JobLost: Consequence(500, 10, True),
    ServiceError: Consequence(503, 11, False),
    ServiceDown: Consequence(503, 11, True),
}


def consequence(error: type[AttuneError]) -> Consequence:
    """The row of the nearest class in the table, walking up from ``error``."""
    for kind in error.__mro__:
        if kind in CONSEQUENCES:
            return CONSEQUENCES[kind]
    return CONSEQUENCES[AttuneError]
