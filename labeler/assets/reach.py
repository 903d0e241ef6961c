"""Which addresses images may be read from: kinds and places of a setting, and no machine of a private network.

Someone else may have written the manifest that an operator imports, so an address in it must not make this machine
read what its author could not: files behind chains of fsspec, a cloud's metadata, pages of the local network. What is
checked here is the address as it is written; `attune.labeler.assets.guarded_http` checks the machine that it leads to.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import unicodedata
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

from attune.labeler.settings import Settings
from attune.labeler.settings.values import IMAGE_SCHEMES
from attune.models.errors import UnreadableItem

ALIASES = {"s3a": "s3", "gcs": "gs", "abfss": "abfs"}
WEB = ("http", "https")
# A bucket, a container@account of Azure, or an access point of S3: never a host that someone made up.
BUCKET = re.compile(
    r"[\w.-]+|[\w.$-]+@[a-z0-9-]+\.(dfs|blob)\.core\.windows\.net"
    r"|arn:aws[a-z-]*:s3[a-z-]*:[a-z0-9-]+:[0-9]{12}:accesspoint",
    re.ASCII,
)
UNICAST = ipaddress.IPv6Network("2000::/3")  # all that was ever given out to be reached from everywhere
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Reach:
    """What ``ATTUNE_IMAGE_SOURCES`` and ``ATTUNE_PRIVATE_HOSTS`` allow; without arguments, what they do unless set."""

    sources: str = Settings.image_sources
    private_hosts: str = Settings.private_hosts
    own: str = ""  # the folder in which the workspace keeps images, which no setting shuts

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The reach that the operator chose."""
        return cls(settings.image_sources, settings.private_hosts, str(settings.images))

    def check(self, address: str) -> None:
        """Raise UnreadableItem, with the rule and the setting, where ``address`` may not be opened; opens nothing."""
        scheme, _, rest = address.partition("://")
        scheme = ALIASES.get(scheme.lower(), scheme.lower())
        # Brackets hold an IPv6 address, whose :: is no chain.
        if "::" in scheme or "::" in re.sub(r"^([^/?#]*@)?\[[0-9A-Fa-f:.]*\]", "", rest):
            raise UnreadableItem(
                f"{address} is a chain of URLs (it contains ::), which Attune does not follow. Give the URL of "
                "the image. Write a :: inside a URL as %3A%3A.",
                "chain of addresses",
            )
        listed = self.sources.split(", ")
        if scheme not in listed and not any(_below(place, scheme, rest) for place in listed):
            if scheme in IMAGE_SCHEMES:
                todo = (
                    f"Copy it to one of them, or ask the operator to add {scheme}, or this location, to "
                    "ATTUNE_IMAGE_SOURCES"
                )
            else:
                todo = (
                    f"No setting allows {scheme}://. Copy the image to a folder on this computer, or to a "
                    f"location of a kind that ATTUNE_IMAGE_SOURCES accepts: {', '.join(IMAGE_SCHEMES)}"
                )
            raise UnreadableItem(
                f"{address} is outside the allowed locations: {self.sources}. {todo}.",
                "place not allowed",
            )
        if scheme in WEB:
            self.check_host(_host(address), address)
        elif not BUCKET.fullmatch(_bucket(rest)):
            raise UnreadableItem(
                f"{address} names no bucket: between {scheme}:// and the next / is {_bucket(rest)!r}. Write it "
                f"as {scheme}://bucket/folder/image.jpg. Put keys into Attune's environment.",
                "bad address",
            )

    def check_path(self, path: str) -> None:
        """Raise UnreadableItem where the file or folder ``path`` of this machine may not be read.

        Links are followed first: what counts is where the file lies.
        """
        listed = self.sources.split(", ")
        if "file" in listed:
            return
        real = os.path.realpath(path)
        folders = [os.path.realpath(place) for place in (*listed, self.own) if place.startswith("/")]
        if not any(real == folder or real.startswith(folder.rstrip("/") + "/") for folder in folders):
            raise UnreadableItem(
                f"{path} is outside the allowed locations: {self.sources}. Copy it to one of them. Or ask the "
                "operator to add its folder, or file for all folders, to ATTUNE_IMAGE_SOURCES.",
                "place not allowed",
            )

    def check_host(self, host: str, address: str) -> None:
        """Raise UnreadableItem where ``host`` is written as the number of a machine that is not reachable to all.

        Every spelling counts that the system's resolver takes: decimal, octal, hexadecimal, with fewer than 4 parts.
        """
        number = _number(host)
        if number is not None and not self.names(host):
            self.check_number(number, host, address)

    def check_number(self, number: Address, host: str, address: str) -> None:
        """Raise UnreadableItem where ``number``, which ``host`` leads to, is private and not listed."""
        inner = _meant(number)
        if any(one in network for network in self._networks() for one in (number, inner) if _same(one, network)):
            return
        if not _public(number):
            what = "" if host == str(number) else f" ({number})"
            raise UnreadableItem(
                f"{address} leads to {host}{what}, which is this computer or in a private network. Attune does "
                f"not read images there. If it is your own storage, ask the operator to add {host} to "
                "ATTUNE_PRIVATE_HOSTS.",
                "private address",
            )

    def names(self, host: str) -> bool:
        """Whether the operator listed ``host`` by its name, so that it may lead anywhere."""
        return host.lower().rstrip(".") in self.private_hosts.split(", ")

    def _networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        networks = []
        for item in filter(None, self.private_hosts.split(", ")):
            try:
                networks.append(ipaddress.ip_network(item))
            except ValueError:
                continue  # a name
        return networks


def _below(place: str, scheme: str, rest: str) -> bool:
    """Whether an address is at or below a listed place. A step up leaves it, however it is written."""
    kind, _, head = place.partition("://")
    if kind != scheme or not head:
        return False
    host, slash, path = rest.partition("/")
    whole = f"{host.lower()}{slash}{path.partition('?')[0]}"
    climbs = any(unquote(part) == ".." for part in re.split(r"[/\\]", whole))
    return not climbs and (whole == head or whole.startswith(head + "/"))


def _bucket(rest: str) -> str:
    return rest.partition("/")[0]


def _host(address: str) -> str:
    """The host of a web address, as the resolver will get it. Raises UnreadableItem where there is none."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    if not host:
        raise UnreadableItem(f"{address} names no host. Write it as https://host/folder/image.jpg.", "bad address")
    return unicodedata.normalize("NFKC", unquote(host)).rstrip(".")


def _number(host: str) -> Address | None:
    """The number that ``host`` spells, None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _same(number: Address, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return number.version == network.version


def _meant(number: Address) -> Address:
    """The IPv4 address that an IPv6 one carries in it, else itself."""
    if isinstance(number, ipaddress.IPv6Address):
        if number in NAT64:
            return ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
        return number.ipv4_mapped or number.sixtofour or number
    return number


def _public(number: Address) -> bool:
    """Whether everyone reaches this number, and the one that it carries."""
    inner = _meant(number)
    if isinstance(number, ipaddress.IPv4Address):
        return number.is_global and not number.is_multicast
    if number in NAT64 or number.ipv4_mapped:
        return _public(inner)
    return number in UNICAST and number.is_global and (inner == number or _public(inner))


__all__ = ["Reach"]
