"""Consoles whose reader may go away. Apart from the voice, because asking for help needs none."""

from __future__ import annotations

import os
from typing import IO, Any

from rich.console import Console

_WIDE = 240  # columns for a reader that is no terminal: names in tables stay whole


class PipedConsole(Console):
    """A console whose reader may go away (`| head`).

    The rest goes nowhere, and the command ends as it would have.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        if not self.is_terminal and "width" not in how and "COLUMNS" not in os.environ:
            self.width = _WIDE

    def on_broken_pipe(self) -> None:
        self.quiet = True
        hush(self.file)


def hush(stream: IO[str]) -> None:
    """Let what is still written to a stream go nowhere, with what Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
