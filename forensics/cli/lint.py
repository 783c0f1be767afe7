"""`lint`: the part of a preflight that needs no database."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import manual
from forensics.cli.voice import FAILED, FOUND, OK, Json, Quiet, app, safe, speaking
from forensics.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from forensics.preflight.output import Flight, Forewarning


class Format(StrEnum):
    """How the answer is written."""

    people = "people"
    github = "github"


@app.command("lint", short_help="What migrations would do, without a database.", epilog=manual.LINT)
def lint_command(
    migrations: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Migrations: SQL files or folders.")
    ],
    form: Annotated[
        Format, typer.Option("--format", help="For people, or as annotations.")
    ] = Format.people,
    every: Annotated[
        bool, typer.Option("--all", help="Also what destroys nothing: locks, what may fail.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What migrations would do, without a database: that they destroy, not how much."""
    from forensics.evidence.migrations import read_folder
    from forensics.preflight.output import github, plain_flight
    from forensics.preflight.static import lint

    with speaking("lint", as_json, quiet) as voice:
        flight = lint([read_folder(path) for path in migrations])
        if form is Format.github and not as_json:
            voice.write(github(flight))
        else:
            voice.answer(plain_flight(flight), lambda console: _show(console, flight, every))
    raise typer.Exit(_status(flight))


def _status(flight: Flight) -> int:
    if any(map(_unread, flight.hazards)):
        return FAILED
    if any(warning.destroys for warning in flight.hazards):
        return FOUND
    return OK


def _unread(warning: Forewarning) -> bool:
    """Whether nobody can tell what the statement does."""
    from forensics.statements.hazards import UNREAD

    return warning.hazard.code in UNREAD and not warning.hazard.known


def _show(console: Console, flight: Flight, every: bool) -> None:
    others = 0
    for warning in flight.hazards:
        grave = warning.destroys or _unread(warning)
        if grave or every:
            colour = "red" if grave else "yellow"
            place = f"{safe(warning.path)}:{warning.hazard.line}"
            code = warning.hazard.code
            console.print(f"{place}: [{colour}]{code}[/]: {safe(warning.sentence)}")
        else:
            others += 1
    if others:
        console.print(f"{others} more destroy nothing (--all shows them).")
    if any(warning.destroys for warning in flight.hazards):
        console.print("How much it would take, a database tells: forensics preflight.")
        console.print("What is meant is said above the statement: -- forensics: allow CODE")
    elif _status(flight) == OK:
        number = counted(len(flight.migrations), "migration")
        console.print(f"Nothing in {number} destroys rows or values.")
