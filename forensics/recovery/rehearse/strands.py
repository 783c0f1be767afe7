"""What is rehearsed side by side: threads that work on a scratch server of ours.

Each of them works in databases of its own. They end where the server does: whoever stops that
before their time waits no longer than it takes them to notice.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Semaphore
from typing import Any, TypeVar

from forensics.evidence.beside import beside

_PATIENCE = 2.0  # seconds
_Answer = TypeVar("_Answer")


class Strands:
    """The threads of one rehearsal.

    Args:
        most: how many of them work at once. The others wait, in the order in which they were
            begun: whoever began them is to have a core, for that takes longest.
    """

    def __init__(self, most: int) -> None:
        self._going: list[Future[Any]] = []
        self._places = Semaphore(most)

    def begin(
        self, work: Callable[[], _Answer], name: str, after: Future[Any] | None = None
    ) -> Future[_Answer]:
        """Begin work in a thread; as `beside`.

        Args:
            after: what has to end first; meanwhile it takes nobody's place.
        """

        def in_turn() -> _Answer:
            wait([after] if after else [])
            with self._places:
                return work()

        coming = beside(in_turn, f"rehearsal: {name}")
        self._going.append(coming)
        return coming

    def close(self) -> None:
        """Wait for those whose server was stopped under them; what they found is forgotten."""
        wait(self._going, timeout=_PATIENCE)
