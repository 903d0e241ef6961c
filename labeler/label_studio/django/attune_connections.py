"""The connections to Label Studio that are open, and which one gives way where there is no room for another.

To refuse the new one would let everybody shut Label Studio, without a login: with 600 connections that send nothing.
So one of those goes whose request has not come whole: of the address that has the most, the one that waits longest.
Who sends a request at once needs its place for milliseconds. Behind a proxy all have one address, and the age decides.
"""

import socket
import threading
import time
from collections import Counter

MOST = 600  # open ones, each with a thread
FEW = 20  # with so many from one address no address is held against it: a browser opens six
IN_META = "attune.connection"  # where a request finds its connection
ARRIVES, WORKED_ON, ANSWERED = range(3)

_lock = threading.Lock()
_open = {}  # socket -> Connection


class Connection:
    """One open connection, and what it does since when: its request arrives, is worked on, or is answered."""

    ours = False  # Attune's token came by it: it never gives way
    gone = False

    def __init__(self, made, address):
        self._socket, self.address = made, address
        self.arrives()

    def arrives(self):
        """It waits for a request, or for the rest of one."""
        self._does(ARRIVES)

    def answered(self):
        """Its answer is being written, which takes as long as the other side takes to read it."""
        self._does(ANSWERED)

    def begins(self):
        """Whether its request, which has come whole, may be worked on: not where the connection gave way meanwhile."""
        self._does(WORKED_ON)
        return not self.gone

    def _does(self, what):
        with _lock:
            self.does, self.since = what, time.monotonic()

    def _give_way(self):
        self.gone = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads or writes it, which then ends
        except OSError:
            pass


def opened(made, address):
    """Keep a new connection; False where there is no room, and none that may give way."""
    new = Connection(made, address)
    with _lock:
        if len(_open) >= MOST:
            going = _least_missed()
            if going is None:
                return False
            _open.pop(going._socket)._give_way()
        _open[made] = new
    return True


def _least_missed():
    from_there = Counter(one.address for one in _open.values())
    may_go = [one for one in _open.values() if one.does != WORKED_ON and not one.ours]
    return max(
        may_go,
        key=lambda one: (max(FEW, from_there[one.address]), one.does == ARRIVES, -one.since),
        default=None,
    )


def closed(made):
    """Forget a connection that has ended."""
    with _lock:
        _open.pop(made, None)


def of(made):
    """The connection of a socket, also of one that gave way before its thread began."""
    with _lock:
        found = _open.get(made)
    if found is None:
        found = Connection(made, "")
        found.gone = True
    return found


def keep(request):
    """Let the connection of a request with Attune's own token never give way."""
    mine = request.META.get(IN_META)
    if mine is not None:
        mine.ours = True
