"""Whom Label Studio's process may call: the console's webhook, and no one else.

A hook of Python's own (`sys.addaudithook`) sees every connection that Python code opens, whatever library asks for it,
and cannot be taken out again. The database is reached by its own library, which does not pass here. The hook keeps
Label Studio's own functions (storages, imports from addresses, models) from calling out; who can run code of their own
in the process is not kept by it.
"""

import ipaddress
import logging
import os
import socket
import sys
import threading
from urllib.parse import urlsplit

CONNECTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
LOOPBACK = ("127.0.0.1", "::1")
OWN_NAMES = {"", "localhost", "localhost.localdomain", "ip6-localhost"}
# What Label Studio refuses by itself where its own protection is on, but for the webhook's address.
RESERVED = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    "::/128 ::1/128 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/32 2001:20::/28 "
    "2001:db8::/32 2002::/16 fc00::/7 fe80::/10 ff00::/8"
).split()
PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}

log = logging.getLogger("attune.calls")
_busy = threading.local()
_limited = []


def webhook():
    """Host and port of the console's webhook, from ATTUNE_WEBHOOK_ADDRESS; ("", 0) where none is set."""
    try:
        address = urlsplit(os.environ.get("ATTUNE_WEBHOOK_ADDRESS", ""))
        return (address.hostname or "").lower(), address.port or {"https": 443, "http": 80}.get(address.scheme, 0)
    except ValueError:
        return "", 0


def limit():
    """Let this process call no one but the webhook from now on; a second call changes nothing."""
    if not _limited:
        _limited.append(True)
        sys.addaudithook(_hook)


def banned():
    """The networks that Label Studio's own protection against addresses from outside shall refuse.

    All reserved ones without the webhook's own address. Where that is a name, it stands in a private network, whose
    addresses are not known before: then loopback and the addresses of clouds' metadata stay refused.
    """
    host, _ = webhook()
    addresses = LOOPBACK if host in OWN_NAMES - {""} else (host,) if _is_address(host) else ()
    if host and not addresses:
        return [one for one in RESERVED if one not in PRIVATE]
    networks = [ipaddress.ip_network(one) for one in RESERVED]
    for address in addresses:
        networks = [part for one in networks for part in _without(one, ipaddress.ip_network(address))]
    return [str(one) for one in networks]


def _without(network, address):
    if network.version != address.version or not address.subnet_of(network):
        return [network]
    return [] if network == address else list(network.address_exclude(address))


def _hook(event, arguments):
    if event not in CONNECTS and event not in LOOKUPS:
        return
    if getattr(_busy, "now", False):
        return
    _busy.now = True
    try:
        _check(event, arguments)
    finally:
        _busy.now = False


def _check(event, arguments):
    if event in LOOKUPS:
        if not _may_look_up(arguments[0]):
            _refuse("looks up", arguments[0])
    elif event == "socket.connect":
        if not _may_call(arguments[1]):
            _refuse("calls", arguments[1])
    elif arguments[1] is not None and not _may_call(arguments[1]):
        _refuse("sends to", arguments[1])


def _may_look_up(host):
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or _is_address(name):
        return True
    # PostgreSQL's library calls its host by itself, but has the name looked up here.
    database = os.environ.get("POSTGRE_HOST", "").lower()
    return name.lower() in OWN_NAMES | {webhook()[0], socket.gethostname().lower(), database}


def _may_call(address):
    if not isinstance(address, tuple) or len(address) < 2:
        return False  # a socket of the machine's own, say of a service that takes commands
    host, port = str(address[0]).lower(), address[1]
    allowed_host, wanted_port = webhook()
    if allowed_host and port == wanted_port and host in {allowed_host, *_addresses(allowed_host)}:
        return True
    # Label Studio tries its own port before it starts to listen there.
    return port == own_port() and host in {*LOOPBACK, "localhost"}


def own_port():
    """The port that Label Studio's command was told to listen on."""
    for before, word in zip(sys.argv, sys.argv[1:], strict=False):
        if before == "--port" and word.isdigit():
            return int(word)
    return 8080


def _addresses(host):
    if host in OWN_NAMES:
        return LOOPBACK
    if _is_address(host):
        return (host,)
    try:
        return tuple({str(entry[4][0]) for entry in socket.getaddrinfo(host, None)})
    except OSError:
        return ()


def _is_address(host):
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse(does, caller):
    host = caller[0] if isinstance(caller, tuple) else caller
    log.warning("refused: Label Studio %s %.100s; it may call Attune's webhook only", does, host)
    raise PermissionError(f"Label Studio may call Attune's webhook only, not {str(host)[:100]}.")
