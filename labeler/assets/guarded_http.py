"""fsspec's web client with a guard: every request, redirects too, and the very number that is connected to.

A name is looked up once, by the resolver here, and what it answers is both checked and used: a name that leads to an
open machine when it is asked first, and to a private one a moment later, gains nothing (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attune.labeler.assets.reach import Reach
from attune.models.errors import UnreadableItem

if TYPE_CHECKING:
    import aiohttp

Client = Callable[..., "Coroutine[Any, Any, aiohttp.ClientSession]"]
# What was refused for the one who asks: fsspec takes some errors for "there is nothing", and loses the reason.
refusals: ContextVar[list[UnreadableItem] | None] = ContextVar("refusals", default=None)


@lru_cache(maxsize=8)  # fsspec keeps one file system for each client, and a session in it
def client(reach: Reach) -> Client:
    """What makes aiohttp's session that goes no further than ``reach``. Raises ImportError without aiohttp."""
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Resolver(AbstractResolver):
        """The system's resolver, whose answers are checked."""

        def __init__(self) -> None:
            self._system = aiohttp.ThreadedResolver()

        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
            """The numbers of ``host``. Raises UnreadableItem where one of them may not be reached."""
            addresses = await self._system.resolve(host, port, family)
            if not reach.names(host):
                for address in addresses:
                    number = ipaddress.ip_address(address["host"].partition("%")[0])
                    reach.check_number(number, host, f"https://{host}" if port == 443 else f"http://{host}:{port}")
            return addresses

        async def close(self) -> None:
            """Nothing is held."""
            await self._system.close()

    async def made(**options: Any) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(resolver=Resolver())
        return aiohttp.ClientSession(connector=connector, middlewares=(_guard(reach),), **options)

    return made


def _guard(reach: Reach) -> Any:
    """A middleware that refuses each request, also one that follows a redirect, which goes further than ``reach``."""

    async def guard(request: aiohttp.ClientRequest, send: Any) -> aiohttp.ClientResponse:
        try:
            reach.check(str(request.url))
            # A host that is written as a number never meets the resolver.
            reach.check_host(request.url.host or "", str(request.url))
            response: aiohttp.ClientResponse = await send(request)
            return response
        except UnreadableItem as error:
            if (refusal := refusals.get()) is not None:
                refusal.append(error)
            raise

    return guard


__all__ = ["client", "refusals"]
