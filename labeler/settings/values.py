"""How the text of a variable becomes a value; a ValueError says what the variable takes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from attune.models.files.paths import at_home

# What can be listed at all. Of each of these it is known which host it reaches; of sftp, zip, reference … it is not.
IMAGE_SCHEMES = ("file", "https", "http", "s3", "gs", "az", "abfs")
ENGINES = ("workers", "ray")
HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def path(text: str) -> Path:
    """An absolute path; ``~/`` at its head is the home folder."""
    return Path(at_home(text)).absolute()


def flag(text: str) -> bool:
    """Yes or no."""
    value = text.strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("yes or no (also 1/0, true/false, on/off)")


def port(text: str) -> int:
    """A port."""
    value = whole(text)
    if not 1 <= value <= 65535:
        raise ValueError("a port from 1 to 65535")
    return value


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def count(text: str) -> int:
    """A whole number of 0 or more."""
    value = whole(text)
    if value < 0:
        raise ValueError("a whole number of 0 or more")
    return value


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    value = whole(text)
    if value < 1:
        raise ValueError("a whole number of 1 or more")
    return value


def share(text: str) -> float:
    """A share: 0 up to, and without, 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise ValueError("a number from 0 to below 1")
    return value


def engine(text: str) -> str:
    """What does bulk work."""
    value = text.strip().lower()
    if value not in ENGINES:
        raise ValueError(" or ".join(ENGINES))
    return value


def url(*schemes: str, as_given: bool = False) -> Callable[[str], str]:
    """A reader of addresses with one of the ``schemes``; without a slash at the end, unless they count ``as_given``."""

    def read(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme.split("+")[0] not in schemes or not (parts.netloc or parts.path):
            raise ValueError(f"a URL such as {schemes[0]}://…")
        return text if as_given else text.rstrip("/")

    return read


def image_sources(text: str) -> str:
    """Kinds of addresses, folders and places that images may come from, as ``file, s3://bucket/folder``."""
    takes = (
        f"any of {', '.join(IMAGE_SCHEMES)}, folders such as /data/posters and locations such as "
        "s3://bucket/folder, separated by commas"
    )
    sources = []
    for item in _items(text):
        scheme, _, rest = item.partition("://")
        if item.lower() in IMAGE_SCHEMES:
            sources.append(item.lower())
        elif item.startswith(("/", "~/")):
            sources.append(str(path(item)))
        elif scheme.lower() in IMAGE_SCHEMES[1:] and rest.strip("/") and "::" not in rest:
            host, slash, below = rest.rstrip("/").partition("/")
            sources.append(f"{scheme.lower()}://{host.lower()}{slash}{below}")
        else:
            raise ValueError(takes)
    if not sources:
        raise ValueError(takes)
    return ", ".join(dict.fromkeys(sources))


def hosts(text: str) -> str:
    """Names of hosts, addresses and networks, as ``minio.studio.lan, 10.20.0.0/16``."""
    names = []
    for item in _items(text):
        name = item.lower().rstrip(".")
        try:
            names.append(str(ipaddress.ip_network(name, strict=False)).removesuffix("/32").removesuffix("/128"))
        except ValueError:
            # "10.20.0" is no name although its letters would do for one, and would never match.
            if not HOST_NAME.fullmatch(name) or name.replace(".", "").isdigit():
                raise ValueError(
                    "hosts, network addresses and networks such as minio.studio.lan, 10.20.0.7 and "
                    "10.20.0.0/16, separated by commas"
                ) from None
            names.append(name)
    return ", ".join(dict.fromkeys(names))


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
