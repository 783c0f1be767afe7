"""The command line: `python -m forensics COMMAND`. Answers go to stdout, progress and messages to stderr.

`voice.py` is how commands speak; every other file here is a command, registered by being imported.
"""

from __future__ import annotations

import sys

from rich.console import Console
from typer.exceptions import TyperException

from forensics.cli import cause, compare, demo, inspect, loss, preflight, recover, report  # noqa: F401  (each registers its command)
from forensics.cli.voice import FAILED, app, safe
from forensics.errors import redact

__all__ = ["main"]


def main() -> None:
    """Run the command line.

    Wrong usage is said here and not by the library below, which would repeat the arguments, passwords and all.
    """
    try:
        sys.exit(app(standalone_mode=False))
    except TyperException as error:
        words = error.format_message() if hasattr(error, "format_message") else str(error)
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"[bold red]{safe(redact(words))}[/]\nSee: python -m forensics --help")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(FAILED)
