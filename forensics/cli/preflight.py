"""`preflight`: what a migration would destroy, before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import manual
from forensics.cli.given import Live
from forensics.cli.voice import (
    FAILED,
    FOUND,
    OK,
    Json,
    Quiet,
    Voice,
    app,
    live_side,
    safe,
    speaking,
    working,
)
from forensics.errors import LiveError, UsageError
from forensics.text import document, one_line, short_size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from forensics.preflight.output import Flight, Forewarning, Rehearsed

_STYLES = {"error": "red", "warning": "yellow", "note": ""}
_SQL = 60  # characters of a statement


class Format(StrEnum):
    """How the answer is written."""

    people = "people"
    json = "json"
    github = "github"
    sarif = "sarif"


@app.command("preflight", epilog=manual.PREFLIGHT)
def preflight_command(
    migration: Annotated[
        Path,
        typer.Argument(
            metavar="MIGRATION", help="A migration's SQL file or folder, or the folder of them all."
        ),
    ],
    live: Live = None,
    rehearse: Annotated[
        bool,
        typer.Option(
            "--rehearse", help="Also run it, on a scratch copy of the tables that matter."
        ),
    ] = False,
    form: Annotated[
        Format, typer.Option("--format", help="For people, or as annotations for a CI service.")
    ] = Format.people,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 as well where a statement would fail.")
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="What an earlier `preflight --json` found is no news and not repeated.",
        ),
    ] = None,
    comment_file: Annotated[
        Path | None,
        typer.Option(
            "--comment", metavar="FILE", help="Also write a comment for a pull request, Markdown."
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What a migration would destroy, before it runs."""
    if as_json:
        form = Format.json
    with speaking("preflight", form is Format.json, quiet) as voice:
        try:
            flight = _fly(voice, migration, live, rehearse=rehearse)
        except LiveError as error:
            error.hint = _without_resume(error.hint)
            raise
        if baseline:
            from forensics.preflight.baseline import without_known

            flight = without_known(flight, baseline)
        if comment_file:
            _write_comment(comment_file, flight)
        _answer(voice, form, flight)
        status = _status(flight, strict=strict)
    raise typer.Exit(status)


def _without_resume(hint: str | None) -> str | None:
    """A hint of those who may go on where they ended: a preflight begins again."""
    if hint is None:
        return None
    said = hint.replace("Go on with --resume", "Run it again")
    return said.replace(" with --resume", "")


def _fly(voice: Voice, migration: Path, live: str | None, *, rehearse: bool) -> Flight:
    """Count on live what the pending migrations would do."""
    from forensics.evidence import looks_like_dsn
    from forensics.evidence.live.source import LiveSource
    from forensics.evidence.migrations import read_folder
    from forensics.preflight.check import pending, preflight

    folder = read_folder(migration)
    side = live_side(live)
    if side and not looks_like_dsn(side):
        raise UsageError(
            "What is given as live is not a connection string.",
            "A preflight counts on a database: give postgresql://user@host/database.",
        )
    with LiveSource(side) as source, working(voice) as tell:
        return preflight(
            pending(folder, source),
            source,
            rehearse=rehearse,
            listener=tell,
            folder=folder,
        )


def _answer(voice: Voice, form: Format, flight: Flight) -> None:
    from forensics import __version__
    from forensics.preflight.output import github, plain_flight, sarif

    if form is Format.github:
        voice.write(github(flight))
    elif form is Format.sarif:
        voice.write(document(sarif(flight, __version__)))
    else:
        voice.answer(plain_flight(flight), lambda console: _show(console, flight))


def _write_comment(path: Path, flight: Flight) -> None:
    from forensics.preflight.output import comment

    try:
        path.write_text(comment(flight), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"The comment cannot be written to {path}: {error.strerror}.", "Name another file."
        ) from error


def _status(flight: Flight, *, strict: bool) -> int:
    if flight.uncounted:
        return FAILED
    if flight.destroys or (strict and flight.fails):
        return FOUND
    return OK


def _show(console: Console, flight: Flight) -> None:
    from forensics.preflight.output import sentences

    if not flight.migrations:
        console.print("No migration is pending.")
    for name in flight.migrations:
        _show_migration(console, name, flight)
    for step in flight.rehearsal or ():
        if step.took or step.error:
            console.print(_rehearsed(step))
    for note in flight.notes:
        console.print(f"[yellow]{safe(note)}[/]")
    console.print(f"\n[bold]{' '.join(sentences(flight))}[/]")


def _show_migration(console: Console, name: str, flight: Flight) -> None:
    counted = [warning for warning in flight.hazards if warning.migration == name]
    if not counted:
        console.print(f"Migration {safe(name)}: no hazard.")
        return
    shown = [warning for warning in counted if _matters(warning)]
    if shown:
        console.print(_table(name, shown))
    if len(shown) < len(counted):
        console.print(
            f"{len(counted) - len(shown)} more were counted, and nothing stands in their way."
        )


def _matters(warning: Forewarning) -> bool:
    """Whether a hazard is worth a line: one that was counted and struck nothing is not."""
    from forensics.statements.hazards import CODES

    if warning.rows != 0 or warning.fails or "fills" in warning.says:
        return True
    return not (CODES[warning.hazard.code].fails or warning.hazard.destroys)


def _table(name: str, warnings: Sequence[Forewarning]) -> RichTable:
    from rich.table import Table as RichTable

    from forensics.preflight.output import level

    table = RichTable(
        "line",
        "hazard",
        "what it would do",
        "table size",
        title=f"Migration {safe(name)}",
        title_justify="left",
    )
    table.columns[0].justify = table.columns[3].justify = "right"
    table.columns[1].no_wrap = True
    for warning in warnings:
        table.add_row(
            str(warning.hazard.line),
            warning.hazard.code,
            _says(warning),
            short_size(warning.table_bytes),
            style=_STYLES[level(warning)],
        )
    return table


def _says(warning: Forewarning) -> str:
    """What a statement would do, with the table that it is about where that is not said."""
    hazard = warning.hazard
    said = warning.says
    if hazard.table is not None and str(hazard.table) not in said:
        said = f"{hazard.table}: {said}"
    if hazard.within:
        said += f" (in {hazard.within})"
    said = safe(said)
    if warning.fails and "fails" not in warning.says:
        said += " [bold](fails)[/]"
    return said


def _rehearsed(step: Rehearsed) -> str:
    text = one_line(step.sql)[:_SQL]
    if step.error:
        what = f"fails: {step.error}"
    else:
        took = [f"{rows:,} of {where}" for where, rows in sorted(step.took.items())]
        what = f"takes {', '.join(took)}"
    return f"rehearsal, line {step.line} ({safe(text)}): {safe(what)}"
