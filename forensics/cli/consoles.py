"""Consoles whose reader may go away. Apart from the voice, because asking for help needs none."""

from __future__ import annotations

import os
from typing import IO

from rich.console import Console


class PipedConsole(Console):
    """A console whose reader may go away (`| head`).

    The rest goes nowhere, and the command ends as it would have.
    """

    def on_broken_pipe(self) -> None:
        self.quiet = True
        hush(self.file)


def hush(stream: IO[str]) -> None:
    """Let what is still written to a stream go nowhere, with what Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
