"""The command line: `python -m forensics COMMAND`. Answers go to stdout, progress and messages to stderr.

`voice.py` is how commands speak; every other file here is a command, registered by being imported.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module

from rich.console import Console
from typer.exceptions import TyperException

from forensics.cli.voice import FAILED, app, safe
from forensics.errors import redact
from forensics.text import document

__all__ = ["COMMANDS", "main", "register"]

COMMANDS = ("inspect", "compare", "loss", "cause", "preflight", "recover", "report", "demo")


def register(wanted: str | None = None) -> None:
    """Register a command, or all of them: each pays for its own imports, and a comparison should not for a parser's.

    Args:
        wanted: the command's name; None, or a name that there is not, for all.
    """
    for name in (wanted,) if wanted in COMMANDS else COMMANDS:
        import_module(f"forensics.cli.{name}")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line.

    A request to end (SIGTERM, SIGHUP) is taken like a Ctrl-C: what runs is stopped, and what was finished is kept.
    Wrong usage is said here and not by the library below, which would repeat the arguments, passwords and all.
    """
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # not on every system
            signal.signal(getattr(signal, name), _interrupt)
    register(next((a for a in sys.argv[1:] if not a.startswith("-")), None))
    try:
        sys.exit(app(standalone_mode=False))
    except TyperException as error:
        words = error.format_message() if hasattr(error, "format_message") else str(error)
        if "--json" in sys.argv:
            sys.stdout.write(
                document(
                    {
                        "error": {
                            "kind": "usage",
                            "message": redact(words),
                            "hint": "See: python -m forensics --help",
                        }
                    }
                )
            )
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"[bold red]{safe(redact(words))}[/]\nSee: python -m forensics --help")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(FAILED)
