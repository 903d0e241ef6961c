"""Objects by text prompts: whether an image shows what a few words name, guessed from its vector.

It is zero-shot classification (Radford and others 2021), with the head that a question with these prompts has before
its first answer (``models.probes.priors.text_prior``): the mean of the prompts' vectors, scaled on the pool. So
about one image in ten is said to show the object, however many do. It is a draft until people have checked it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from attune.models.errors import DataError
from attune.models.measured.eye_checks import EyeCheck
from attune.models.measured.measures import OBJECT_CLASSES, OBJECT_FROM, OBJECTS, Measure
from attune.models.probes.priors import Prompts, text_prior
from attune.models.vectors.pool import Pool
from attune.models.vectors.products import FloatArray

DRAFT = "Draft: nobody has checked it."
SHOWS, FITS = "Does this image show %(phrase)s?", "Do the words “%(phrase)s” fit this image?"  # how people are asked
MEANS = "Yes if you can see it, also small, drawn or cut off at the edge. Words that only name it do not count."
MADE_BY = 1  # raised where the same words and vectors give other values
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,28}[a-z0-9])?")  # of 40 at most with what its check is called by
LONGEST = 100  # characters of a phrase; the text tower reads some 70 words
MOST_PHRASES = 20
_ARTICLE = re.compile(r"^\s*(?:a|an|the)\s+", re.IGNORECASE)
_WHERE = re.compile(
    r"(?:about|above|across|after|against|along|among|around|at|before|behind|below|beneath|beside|between|beyond|by|"
    r"during|for|from|in|inside|into|near|of|off|on|outside|over|through|to|towards?|under|underneath|up|with|within|"
    r"without)\s",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Phrased:
    """An object's ``name`` as a feature, and the ``phrases`` that name it in words."""

    name: str
    phrases: tuple[str, ...]

    @property
    def said(self) -> str:
        """The phrases in quotes."""
        return " or ".join(f"“{one}”" for one in self.phrases)

    @property
    def measure(self) -> Measure:
        """The object as a measured feature."""
        return Measure(self.name, OBJECTS, "probability of yes", self.said, OBJECT_CLASSES)


@dataclass(frozen=True, eq=False)
class ObjectHead:
    """``weight`` (d,) and ``bias`` of the logit that an image shows the object; unit-length vectors."""

    weight: FloatArray
    bias: float

    def probabilities(self, vectors: FloatArray) -> npt.NDArray[np.float64]:
        """How likely each of ``vectors`` (n, d) shows it, (n,)."""
        found: npt.NDArray[np.float64] = expit((vectors @ self.weight + np.float32(self.bias)).astype(np.float64))
        return found


def head_of(phrase_vectors: FloatArray, pool: Pool) -> ObjectHead:
    """The head of the prompts (m, d) over ``pool``, which has images. The same prompts and pool give the same head."""
    prior = text_prior(Prompts(positive=phrase_vectors), OBJECT_CLASSES, pool, np.random.default_rng([0, 1]))
    assert prior is not None  # there is a phrase, and the pool has images
    return ObjectHead(prior.weight[0], float(prior.bias[0]))


def object_check(name: str, question: str = "", definition: str = "") -> EyeCheck:
    """How people check the object ``name``."""
    return EyeCheck(name, question, OBJECT_CLASSES, (OBJECT_FROM,), definition, guessed=True)


def check_of(one: Phrased) -> EyeCheck:
    """The same, with the question as it is asked first: its owner may say it better."""
    first = one.phrases[0]
    asks = FITS if _WHERE.match(first) else SHOWS  # "show in a forest" is no sentence
    return object_check(one.name, asks % {"phrase": first}, MEANS)


def phrased(given: Sequence[str]) -> list[Phrased]:
    """The objects that ``given`` names, each as a phrase (“a dog”) or as NAME=PHRASE; one NAME may have several.

    Raises DataError for a phrase that is empty or too long, and where no name can be made of it.
    """
    found: dict[str, list[str]] = {}
    for text in given:
        name, equals, phrase = text.partition("=")
        if not equals:
            name, phrase = _name(text), text
        words = " ".join(phrase.split())
        if not NAME.fullmatch(name):
            raise DataError(
                f"{name[:80]!r} is not a name of an object. Use up to 30 small letters, digits, - and _ before the "
                'equals sign: `attune features measure --object "dog=a dog"`'
            )
        if not words or len(words) > LONGEST or not words.isprintable():
            raise DataError(
                f"The phrase of {name} has {len(words):,} characters. Expected 1 to {LONGEST} printable characters "
                'that name what an image shows: --object "dog=a dog"'
            )
        found.setdefault(name, []).append(words)
    for name, phrases in found.items():
        if len(phrases) > MOST_PHRASES:
            raise DataError(f"{name} has {len(phrases)} phrases. At most {MOST_PHRASES} can be averaged.")
    return [Phrased(name, tuple(dict.fromkeys(phrases))) for name, phrases in found.items()]


def short_name(phrase: str) -> str:
    """The phrase without its article, in the characters of a name; it may be too long for one, or empty."""
    return re.sub(r"[^a-z0-9_-]+", "-", _ARTICLE.sub("", phrase).lower()).strip("-_")


def _name(phrase: str) -> str:
    """A name of the phrase, as a feature is called. Raises DataError where there is none."""
    name = short_name(phrase)
    if not NAME.fullmatch(name):
        raise DataError(
            f"No short name can be made of {phrase[:80]!r}. Name it, in up to 30 small letters, digits, - and _: "
            f'--object "NAME={phrase[:80]}"'
        )
    return name
