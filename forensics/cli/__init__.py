"""The command line: `forensics COMMAND`. Answers go to stdout, progress and messages to stderr.

`voice.py` is how commands speak; every other file here is a command, registered by being imported.
A command imports what does its work when it runs, so that asking for help loads no engine.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from forensics.cli.taking import take_as_given
from forensics.cli.voice import FAILED, app, not_loaded, say_error
from forensics.config import configuration
from forensics.errors import ForensicsError, redact
from forensics.text import document

__all__ = ["COMMANDS", "main", "register"]

COMMANDS = (
    "inspect",
    "compare",
    "loss",
    "cause",
    "preflight",
    "lint",
    "recover",
    "report",
    "query",
    "export",
    "convert",
    "prove",
    "verify",
    "config",
    "notebooks",
    "demo",
)

_COLLECTED = (300_000, 20, 20)
_HELP = "See: forensics --help"
# What is too much is not repeated: a word of a connection string without quotes around it.
_SURPLUS = re.compile(r"(Got unexpected extra arguments?)(?:\(s\))? \(.*\)", re.S)


def register(wanted: str | None = None) -> None:
    """Register a command, or all of them.

    Args:
        wanted: the command's name; None, or a name that there is not, for all.
    """
    names: tuple[str, ...] = COMMANDS
    if wanted in COMMANDS:
        names = (wanted,)
    for name in names:
        import_module(f"forensics.cli.{name}")


def main() -> None:
    """Run the command line.

    A request to end (SIGTERM, SIGHUP) is taken like a Ctrl-C: what runs is stopped, and what was
    finished is kept. Wrong usage is said here and not by the library below, which would repeat the
    arguments, passwords and all. A library that is not installed is no finding either: the exit
    status is 2, with the line that mends it.
    """
    from typer.exceptions import TyperException
    from typer.main import get_command

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # not on every system
            signal.signal(getattr(signal, name), _interrupt)
    # What is imported stays, and what a run makes is seldom in circles: looking for those among
    # all of it, again and again, took a fifth of the time of a small database.
    gc.set_threshold(*_COLLECTED)
    # Nothing here multiplies matrices: numpy's threads for that would only be started and ended.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        register(_command())
        commands = get_command(app)
        take_as_given(commands)
        sys.exit(commands(standalone_mode=False, default_map=_configured()))
    except ForensicsError as error:
        _fail(error.kind, error.message, error.hint)
    except TyperException as error:
        words = str(error)
        if hasattr(error, "format_message"):
            words = error.format_message()
        hint = _HELP
        if configuration(Path.cwd()).values:
            hint = f"{hint} and forensics config, which says what your configuration sets"
        _fail("usage", _withheld(words), hint)
    except ImportError as error:
        _fail("install", *not_loaded(error))
    except KeyboardInterrupt:
        sys.exit(FAILED)
    finally:
        # The system takes back all at once what would be looked at object by object.
        gc.freeze()


def _configured() -> dict[str, dict[str, Any]]:
    """What a configuration file sets, by command and parameter."""
    if _command() in (None, "config"):
        return {}
    config = configuration(Path.cwd())
    if not config.values:
        return {}
    from forensics.cli.settings import in_force

    register()
    return in_force(config)


def _withheld(words: str) -> str:
    """Return what is wrong with the usage without what may be a part of a connection string."""
    words = _SURPLUS.sub(r"\g<1>", words)
    for argument in sorted(sys.argv[1:], key=len, reverse=True):
        if "@" in argument or "://" in argument or "=" in argument:
            words = words.replace(repr(argument), "…").replace(argument, "…")
            _, _, value = argument.partition("=")
            words = words.replace(repr(value), "…")
    return redact(words)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _command() -> str | None:
    """The first argument that is no option."""
    for argument in sys.argv[1:]:
        if not argument.startswith("-"):
            return argument
    return None


def _fail(kind: str, words: str, hint: str | None) -> None:
    if "--json" in sys.argv:
        answer = {"error": {"kind": kind, "message": words, "hint": hint}}
        sys.stdout.write(document(answer))
    say_error(words, hint)
    sys.exit(FAILED)
