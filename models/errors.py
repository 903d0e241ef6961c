"""The errors that Attune raises on purpose: each has an exit code, an HTTP status and a retry rule.

AttuneError
├ SettingsError (ValueError)
├ ExtraNotInstalled (ImportError)
├ DataError (ValueError)            ConflictingLabels · NotEnoughLabels · SplitLeakage · UnreadableItem
│                                   · UnwritableFile · UnknownClustering · UnknownInsight
│                                   · UnknownGrouping · UnknownFeature
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
    """The root of every error that Attune raises on purpose."""


class SettingsError(AttuneError, ValueError):
    """A setting has an invalid value; names the variable and never prints a secret."""


class ExtraNotInstalled(AttuneError, ImportError):
    """A package of an extra is not installed; names the extra and the command that installs it."""


class DataError(AttuneError, ValueError):
    """Input that cannot be used as it is."""


class ConflictingLabels(DataError):
    """One asset has two labels, but one is needed."""


class NotEnoughLabels(DataError):
    """There are too few labels, or of too few classes; says how many there are and how many are needed."""


class SplitLeakage(DataError):
    """An asset or a title is on both sides of a split."""


class UnreadableItem(DataError):
    """One file or row cannot be read; the others are not affected. ``reason``: a few words, for counts."""

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class UnwritableFile(DataError):
    """A file that a user named cannot be written; says the path, the reason and what to do."""


class UnknownClustering(DataError, LookupError):
    """No clustering has this number, or it has no such cluster."""


class UnknownGrouping(DataError, LookupError):
    """No grouping of members has this number."""


class UnknownInsight(DataError, LookupError):
    """No insight has this number."""


class UnknownFeature(DataError, LookupError):
    """No measured or imported feature has this name."""


class PoolError(AttuneError, ValueError):
    """The pool cannot answer a query."""


class EmptyPool(PoolError):
    """No asset is available to choose from."""


class NotPrepared(PoolError):
    """A worker prepares what a page needs; says when to look again."""


class NotMeasured(PoolError):
    """A worker is to measure what a page needs; names the attribute."""


class PoolExhausted(PoolError):
    """More was requested than is available; says both numbers."""


class EncoderError(AttuneError):
    """An encoder could not be used."""


class UnknownEncoder(EncoderError, LookupError):
    """No encoder has this name; lists similar names."""


class EncoderMismatch(EncoderError):
    """Vectors of one encoder were used with a probe or a store of another; names both fingerprints."""


class EncoderNotInstalled(EncoderError, ImportError):
    """The package that an encoder needs is not installed."""


class WeightsUnavailable(EncoderError):
    """The encoder's weights are unavailable; says what the user can do."""


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

        error_class = type(
            name,
            (ProbeError, NotFittedError),
            {"__doc__": "The probe has not been fitted yet.", "__module__": __name__},
        )
        return globals().setdefault(name, error_class)


class BadProbeFile(ProbeError, ValueError):
    """A probe's file does not contain what the format requires."""


class GateFailed(ProbeError):
    """A promotion gate was not passed; says which, the value and the bound."""


class NoAnswers(ProbeError):
    """A class has no answers; names the class and the option that publishes a draft."""


class CatalogError(AttuneError):
    """The catalog cannot do what was requested."""


class UnknownProbe(CatalogError, LookupError):
    """No such attribute, version or alias in the catalog."""


class VersionExists(CatalogError):
    """A version already exists with other content; versions never change."""


class RetiredVersion(CatalogError):
    """The version was retired; says when and why."""


class DigestMismatch(CatalogError):
    """Bytes do not have the digest that the manifest states."""


class CatalogUnreachable(CatalogError, ConnectionError):
    """The catalog is unavailable."""


class NotInCache(CatalogError, FileNotFoundError):
    """A file is not in the cache, and --offline allows nothing else."""


class RecordsError(AttuneError):
    """What was named does not exist in the records, or already exists."""


class UnknownAsset(RecordsError, LookupError):
    """No asset has this id."""


class UnknownAttribute(RecordsError, LookupError):
    """No attribute has this name; lists similar names."""


class UnknownExpert(RecordsError, LookupError):
    """No expert has this email address; lists similar ones."""


class UnknownUpload(RecordsError, LookupError):
    """This person has no such upload of images: it was cancelled, is too old, or is someone else's."""


class AlreadyThere(RecordsError, ValueError):
    """The name is taken."""


class AccessError(AttuneError, PermissionError):
    """The person or token may not do what was requested."""


class BadLink(AccessError):
    """A signed URL was not signed here, or was changed."""


class ExpiredLink(AccessError):
    """A signed URL or a login link has expired."""


class LabelStudioError(AttuneError):
    """Label Studio cannot do what was requested."""


class LabelStudioUnreachable(LabelStudioError, ConnectionError):
    """Label Studio does not answer at its URL."""


class LabelStudioRefused(LabelStudioError):
    """Label Studio answered with an error; carries the status and the body, never the headers.

    ``stale``: what was answered holds no longer, by our modules in Label Studio.
    """

    def __init__(self, message: str, status: int = 0, stale: bool = False) -> None:
        super().__init__(message)
        self.status, self.stale = status, stale


class BadWebhookSecret(LabelStudioError, PermissionError):
    """A webhook has no secret, or a wrong one."""


class UnknownAnnotationShape(LabelStudioError, ValueError):
    """An annotation does not have the form of the attribute's project."""


class JobError(AttuneError):
    """A job failed."""


class JobCancelled(JobError):
    """A person cancelled the job."""


class JobSuperseded(JobError):
    """Another worker has the lease now: this job must not write its results."""


class JobLost(JobError):
    """The job's record is gone or its worker died."""


class ServiceError(AttuneError):
    """A service (Redis, Label Studio, the console, a worker) does not work as it must."""


class PortBusy(ServiceError):
    """A port is already in use; names the service, the port and its setting."""


class ServiceDown(ServiceError, ConnectionError):
    """A service does not answer, or ended at its start; names its log."""


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
    UnknownClustering: Consequence(404, 3, False),
    UnknownGrouping: Consequence(404, 3, False),
    UnknownInsight: Consequence(404, 3, False),
    UnknownFeature: Consequence(404, 3, False),
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
