"""Slow down those who guess passwords: failed logins are counted by who guesses, alone and together with whose login.

What is never counted is the login by itself: whoever knows an address could shut its owner out then, from anywhere, by
guessing wrong. A guesser gets few tries at one login, and not many more at all; one with very many network addresses is
held up by scrypt, which makes this machine check only some passwords a second, and by passwords that are made here, of
some 79 bits.
"""

from __future__ import annotations

import ipaddress
from hashlib import blake2b

from flask import Flask, Response, request, url_for
from flask_limiter import Limiter

PER_NETWORK_ADDRESS = "30 per 5 minutes"
PER_LOGIN = "8 per 5 minutes"  # from one network address


def network_address() -> str:
    """Who asks: an IPv4 address, or the /64 network of an IPv6 one, which is what one household or machine is given.

    Behind as many proxies as ``ATTUNE_PROXIES`` says it is the visitor's.
    """
    remote_address = request.remote_addr or ""
    try:
        number = ipaddress.ip_address(remote_address.partition("%")[0])
    except ValueError:
        return remote_address[:64]  # a socket's, or what a proxy made up
    if isinstance(number, ipaddress.IPv4Address):
        return str(number)
    return str(number.ipv4_mapped or ipaddress.ip_network((number, 64), strict=False))


def login_from_here() -> str:
    """The login that is tried, and who tries it, in as many letters whatever was sent: it is kept for five minutes."""
    login = request.form.get("email", "").strip().casefold()
    return blake2b(f"{network_address()} {login}".encode(errors="surrogatepass"), digest_size=16).hexdigest()


limiter = Limiter(key_func=network_address, default_limits=[], headers_enabled=False)


def init_app(app: Flask) -> None:
    """Count in this process's memory: the console is one process, and counts must not hang on Redis being there.

    A network address holds at most 31 counts there (one, and one for each of 30 logins), each for five minutes.
    """
    app.config.update(RATELIMIT_STORAGE_URI="memory://", RATELIMIT_HEADERS_ENABLED=False)
    limiter.init_app(app)


def failed(response: Response) -> bool:
    """Only failed logins count: a success redirects. What was refused unheard (429) is not counted and not kept."""
    return response.status_code not in {302, 429}


def came_in_vain(response: Response) -> bool:
    """Only returns from the provider that open nothing count: they lead to the login page."""
    return response.status_code != 429 and response.location == url_for("login.page")


def refused(response: Response) -> bool:
    """Only links that open nothing count."""
    return response.status_code in {403, 410}
