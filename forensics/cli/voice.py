"""How commands speak: answers to stdout, everything else to stderr, errors as a sentence, never a traceback."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from forensics.errors import ForensicsError, UsageError, redact
from forensics.store import interruptible
from forensics.text import document, visible

app = typer.Typer(
    name="forensics",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="What a migration took from a PostgreSQL database, row by row: compare a backup with the live database.",
)

OK, FOUND, FAILED = (
    0,
    1,
    2,
)  # exit statuses: nothing is missing, something is, the question was not answered

_COMMAND = re.compile(r"\A(\s*)([:#])(?=[:#])")  # what GitHub's runner obeys at the begin of a line

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages.")]
CaseFolder = Annotated[Path, typer.Argument(metavar="CASE", help="The folder of a case.")]
LIVE_HELP = "The live database: postgresql://…, service=…, host=… dbname=…, or a dump. Default: LIVE_DSN, or the PG* variables."


def safe(text: object) -> str:
    """Return text for a terminal or a CI log, in one line: what would steer it, or its reader's eye, is shown as an escape."""
    return escape(_COMMAND.sub(lambda m: f"{m[1]}\\x{ord(m[2]):02x}", visible(text)))


class _Console(Console):
    """A console whose reader may go away (`| head`): the rest goes nowhere, and the command ends as it would have."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        _hush(self.file)


def _hush(stream: IO[str]) -> None:
    """Let what is still written to a stream go nowhere, with what Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Voice:
    """Says things: the answer on stdout, everything else on stderr.

    Args:
        as_json: the answer is one JSON document.
        quiet: nothing but the answer and errors.
    """

    def __init__(self, as_json: bool, quiet: bool) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.err = _Console(stderr=True, highlight=False, soft_wrap=True)
        self.out = _Console(highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something on the way."""
        if not self.quiet:
            self.err.print(text)

    def answer(self, value: Any, show: Callable[[Console], None]) -> None:
        """Print the answer: `value` as JSON, or what `show` prints for people."""
        if self.as_json:
            self.write(document(value))
        elif not self.quiet:
            show(self.out)

    def write(self, text: str) -> None:
        """Write text to stdout as it is."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            _hush(sys.stdout)

    def fail(self, error: ForensicsError) -> NoReturn:
        """Say what went wrong, and end with 2."""
        if self.as_json:
            self.write(
                document(
                    {"error": {"kind": error.kind, "message": error.message, "hint": error.hint}}
                )
            )
        self.err.print(
            f"[bold red]{safe(error.message)}[/]" + (f"\n{safe(error.hint)}" if error.hint else "")
        )
        raise typer.Exit(FAILED)


@contextmanager
def speaking(as_json: bool, quiet: bool) -> Iterator[Voice]:
    """Run a command's work; whatever goes wrong ends in a sentence and exit status 2, never in a traceback."""
    voice = Voice(as_json, quiet)
    try:
        with interruptible():
            yield voice
    except ForensicsError as error:
        voice.fail(error)
    except KeyboardInterrupt:
        voice.fail(
            ForensicsError("Interrupted; what was finished is kept.", "Go on with --resume.")
        )
    except (typer.Exit, SystemExit):
        raise
    except Exception as error:
        if os.environ.get("FORENSICS_DEBUG"):
            raise
        words = redact(f"{type(error).__name__}: {error}".splitlines()[0])
        voice.fail(
            ForensicsError(
                f"The kit failed in a way that it did not foresee: {words}.",
                "Set FORENSICS_DEBUG=1 to see where, and report it.",
            )
        )


def live_side(given: str | None) -> str:
    """The live side: as given, or LIVE_DSN, or what the PG* variables name.

    Raises:
        UsageError: none of them is there.
    """
    if given:
        return given
    if dsn := os.environ.get("LIVE_DSN"):
        return dsn
    if any(
        os.environ.get(v) for v in ("PGHOST", "PGDATABASE", "PGSERVICE", "PGHOSTADDR", "PGPORT")
    ):
        return ""
    raise UsageError(
        "No live database is given.", "Give LIVE, or set LIVE_DSN or the PG* variables."
    )


@app.callback()
def _root() -> None:
    """What a migration took from a PostgreSQL database, row by row."""
