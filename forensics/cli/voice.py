"""How commands speak: answers to stdout, everything else to stderr, errors as a sentence."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from forensics.errors import ForensicsError, UsageError
from forensics.store.interrupts import interruptible
from forensics.text import document, visible

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    name="forensics",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # a help page that is drawn takes three times as long to come
    help="What a migration took from a PostgreSQL database, row by row: "
    "compare a backup with the live database.",
)

# Exit statuses: nothing is missing, something is, the question was not answered.
OK, FOUND, FAILED = 0, 1, 2

# What GitHub's runner obeys at the begin of a line.
_COMMAND = re.compile(r"\A(\s*)([:#])(?=[:#])")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages.")]
MAX_ROW_HELP = "How long a row of a dump may be; a table with a longer one fails."
MaxRow = Annotated[str, typer.Option("--max-row", metavar="SIZE", help=MAX_ROW_HELP)]
CaseFolder = Annotated[Path, typer.Argument(metavar="CASE", help="The folder of a case.")]
LIVE_HELP = (
    "The live database: postgresql://…, service=…, host=… dbname=…, or a dump. "
    "Default: LIVE_DSN, or the PG* variables."
)
_PG_VARIABLES = ("PGHOST", "PGDATABASE", "PGSERVICE", "PGHOSTADDR", "PGPORT")


def safe(text: object) -> str:
    """Return text for a terminal or a CI log, in one line.

    What would steer it, or its reader's eye, is shown as an escape.
    """
    from rich.markup import escape

    return escape(_COMMAND.sub(_command_escape, visible(text)))


def _command_escape(found: re.Match[str]) -> str:
    return f"{found[1]}\\x{ord(found[2]):02x}"


class Voice:
    """Says things: the answer on stdout, everything else on stderr.

    Args:
        as_json: the answer is one JSON document.
        quiet: nothing but the answer and errors.
    """

    def __init__(self, as_json: bool, quiet: bool) -> None:
        self.as_json, self.quiet = as_json, quiet

    @cached_property
    def err(self) -> Console:
        """Where everything but the answer is said."""
        return _console(stderr=True)

    @cached_property
    def out(self) -> Console:
        """Where the answer is said."""
        return _console(stderr=False)

    def note(self, text: str) -> None:
        """Say something on the way."""
        if not self.quiet:
            self.err.print(text)

    def answer(self, value: Any, show: Callable[[Console], None]) -> None:
        """Print the answer: `value`, or what it returns, as JSON, or what `show` prints."""
        if self.as_json:
            self.write(document(value() if callable(value) else value))
        elif not self.quiet:
            show(self.out)

    def write(self, text: str) -> None:
        """Write text to stdout as it is."""
        from forensics.cli.consoles import hush

        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            hush(sys.stdout)

    def fail(self, error: ForensicsError) -> NoReturn:
        """Say what went wrong, and end with 2."""
        if self.as_json:
            said = {"kind": error.kind, "message": error.message, "hint": error.hint}
            self.write(document({"error": said}))
        say_error(error.message, error.hint, self.err)
        raise typer.Exit(FAILED)


def _console(*, stderr: bool) -> Console:
    from forensics.cli.consoles import PipedConsole  # rich, which who says nothing does not need

    return PipedConsole(stderr=stderr, highlight=False, soft_wrap=True)


def say_error(message: str, hint: str | None, console: Console | None = None) -> None:
    """Print what went wrong on stderr, and what to do about it below."""
    console = console or _console(stderr=True)
    console.print(f"[bold red]{safe(message)}[/]")
    if hint:
        console.print(safe(hint))


@contextmanager
def speaking(command: str, as_json: bool, quiet: bool, case: Path | None = None) -> Iterator[Voice]:
    """Run a command's work.

    Whatever goes wrong ends in a sentence and exit status 2, never in a traceback.

    Args:
        command: its name.
        as_json, quiet: as a voice has them.
        case: the case's folder: what nobody foresaw leaves a file there.
    """
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
        voice.fail(_unforeseen(error, command, case))


def _unforeseen(error: Exception, command: str, case: Path | None) -> ForensicsError:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return ForensicsError(*not_loaded(error))
    from forensics.crash import kept

    path = kept(error, command, case)
    said = f"{command} failed in a way that nobody foresaw: {type(error).__name__}."
    if path is None:
        return ForensicsError(said, "Set FORENSICS_DEBUG=1 to see where, and report it.")
    return ForensicsError(
        said,
        f"{path} says where, and holds no value of your data: report it with that file; "
        "FORENSICS_DEBUG=1 shows all.",
    )


def not_loaded(error: ImportError) -> tuple[str, str]:
    """What there is to say of a library that is not there, and the line that installs it.

    Its own words may be anybody's.
    """
    from forensics.cli.extras import bringing, line

    if error.name:
        name = error.name.partition(".")[0]
        words = f"The kit cannot go on: there is no {error.name}, or not all of it."
        return words, line(bringing(name))
    return "The kit cannot be loaded: one of its libraries cannot be imported.", line("all")


def status_of(*, complete: bool, found: bool) -> int:
    """The exit status of a question about a loss: where it was not answered, that outweighs."""
    if not complete:
        return FAILED
    if found:
        return FOUND
    return OK


@contextmanager
def working(voice: Voice) -> Iterator[Callable[[str], None]]:
    """Lend what tells on stderr, in one line that comes and goes, how far a command is.

    It is silent where nobody watches.
    """
    if voice.quiet or not voice.err.is_terminal:
        yield _silent
        return
    with voice.err.status("") as status:

        def tell(text: str) -> None:
            status.update(safe(text))

        yield tell


def _silent(text: str) -> None:
    """Nobody watches."""


def live_side(given: str | None) -> str:
    """The live side: as given, or LIVE_DSN, or what the PG* variables name.

    Raises:
        UsageError: none of them is there.
    """
    if given:
        return given
    if dsn := os.environ.get("LIVE_DSN"):
        return dsn
    if any(os.environ.get(variable) for variable in _PG_VARIABLES):
        return ""
    raise UsageError(
        "No live database is given.", "Give LIVE, or set LIVE_DSN or the PG* variables."
    )


def live_sides(given: str | None, others: Sequence[str]) -> str | list[str]:
    """The live side, or several databases that are it together.

    Raises:
        UsageError: none is there.
    """
    sides = list(dict.fromkeys([*([given] if given else []), *others]))
    if len(sides) > 1:
        return sides
    return live_side(sides[0] if sides else None)


def _say_version(wanted: bool) -> None:
    if wanted:
        from forensics import __version__

        typer.echo(f"forensics {__version__}")
        raise typer.Exit(OK)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say which."),
    ] = False,
) -> None:
    """What a migration took from a PostgreSQL database, row by row."""
