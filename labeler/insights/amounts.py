"""How figures are said, the same way on every page and in every file: an effect, its range, a step of a number."""

from __future__ import annotations

import math
import re

USUAL = "a usual difference between two images"  # one standard deviation over all images
PERCENT = re.compile(r"(?<=\d) (?=%)")
PERCENT_SHOWN = re.compile(r"(?<=\d) (?=%[^<>]*<)")  # in an attribute, a tag ends before the next one begins


def change(log_ratio: float) -> str:
    """A log rate ratio as a signed percentage."""
    percent = 100 * math.expm1(log_ratio)
    digits = 0 if abs(percent) >= 2 else 1
    sign = "±" if abs(percent) < 0.05 else "+" if percent > 0 else "−"
    return f"{sign}{abs(percent):.{digits}f} %"


def often(log_ratio: float) -> str:
    """A log rate ratio as people say it."""
    return f"{change(log_ratio)[1:]} {'more' if log_ratio >= 0 else 'less'} often"


def between(low: float, high: float, takes: bool = False) -> str:
    """The range from ``low`` to ``high``, log rate ratios, the end that is nearer to no difference first. ``takes``: as
    more or fewer takes, where no image is said to be taken more often."""
    less, of = ("fewer", "takes") if takes else ("less", "often")
    if low * high > 0:
        near, far = (change(end)[1:] for end in sorted((low, high), key=abs))
        return f"between {near} and {far} {'more' if low > 0 else less} {of}"
    return f"between {change(low)[1:]} {less} and {change(high)[1:]} more {of}"


def step(unit: float) -> str:
    """A step of a number in two digits: 12, 0.083, 1,200."""
    return f"{float(f'{unit:.2g}'):,.10g}"


def unbroken(text: str) -> str:
    """``text`` in which no line ends between a number and its percent sign."""
    return PERCENT.sub("\N{NO-BREAK SPACE}", text)


def unbroken_page(page: str) -> str:
    """The same for what an HTML page shows; attributes stay as they are, since forms send them."""
    return PERCENT_SHOWN.sub("\N{NO-BREAK SPACE}", page)
