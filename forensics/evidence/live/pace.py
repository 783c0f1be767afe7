"""How fast rows are read: a server that others need is not read as fast as it can be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Read = Callable[[int], bytes]
Watch = Callable[[int, float], None]

_STEPS = 10  # a second: nobody waits longer for a Ctrl-C


class Pace:
    """Lets so many bytes a second through, of all who read at the same time together.

    Who is not read from waits: psql's pipe fills, then the connection, then the server rests.

    Args:
        rate: bytes a second; None is as fast as it goes.
    """

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._free = 0.0  # when the next bytes may come
        self._busy = threading.Lock()

    def of(self, read: Read) -> Read:
        """What reads as `read` does, no faster than that."""
        rate = self._rate
        if rate is None:
            return read
        most = max(1, rate // _STEPS)

        def slowly(size: int) -> bytes:
            piece = read(min(size, most))
            time.sleep(self._wait(len(piece) / rate))
            return piece

        return slowly

    def _wait(self, seconds: float) -> float:
        with self._busy:
            now = time.monotonic()
            self._free = max(self._free, now) + seconds
            return self._free - now


def watched(read: Read, watch: Watch | None) -> Read:
    """What reads as `read` does, and tells `watch` of each piece its bytes and how long it took."""
    if watch is None:
        return read
    told = watch

    def reading(size: int) -> bytes:
        started = time.monotonic()
        piece = read(size)
        told(len(piece), time.monotonic() - started)
        return piece

    return reading
