"""A server that is begun before anybody needs it: its cluster is made while others work."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from forensics.errors import ScratchError
from forensics.scratch.server import Scratch


class Ahead:
    """A throw-away server whose cluster is being made, until somebody takes it.

    One that nobody took is gone at the end of a `with` block.

    Args:
        size: about how many bytes its tables will hold, where that is known.
    """

    def __init__(self, size: int | None) -> None:
        self._begun: Scratch | None = None
        try:
            self._begun = Scratch(size=size).begin()
        except ScratchError:
            return  # whoever needs a server is told why there is none

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def server(self, size: int | None) -> Scratch:
        """The server, which the caller starts and stops; another where it is not in its place.

        Args:
            size: about how many bytes its tables will hold, as it is known by now.

        Raises:
            ScratchError: there is none.
        """
        found, self._begun = self._begun, None
        if found is not None and found.suits(size):
            return found
        if found is not None:
            found.stop()
        return Scratch(size=size)

    def stop(self) -> None:
        """Remove it, where nobody took it."""
        found, self._begun = self._begun, None
        if found is not None:
            found.stop()


def taken(ahead: Ahead | None, size: int | None, programs: Path | None = None) -> Scratch:
    """A server to start and to stop: the one that was begun, or another.

    Args:
        ahead: what was begun, where something was.
        size: about how many bytes its tables will hold, where that is known.
        programs: the folder of the programs to run; None for those that one is begun of.

    Raises:
        ScratchError: there is none.
    """
    if ahead is not None and programs is None:
        return ahead.server(size)
    return Scratch(programs, size=size)
