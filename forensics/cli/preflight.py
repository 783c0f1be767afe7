"""`preflight`: what a migration would destroy, before it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as RichTable

from forensics.cli.cause import working
from forensics.cli.voice import (
    FAILED,
    FOUND,
    LIVE_HELP,
    OK,
    Json,
    Quiet,
    app,
    live_side,
    safe,
    speaking,
)
from forensics.errors import UsageError
from forensics.evidence import looks_like_dsn
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import read_folder
from forensics.preflight.check import pending, preflight
from forensics.preflight.output import Flight, github, level, plain_flight, sarif
from forensics.statements.hazards import CODES
from forensics.text import document


class Format(StrEnum):
    """How the answer is written."""

    people = "people"
    json = "json"
    github = "github"
    sarif = "sarif"


_STYLES = {"error": "red", "warning": "yellow", "note": None}


@app.command("preflight")
def preflight_command(
    migration: Annotated[
        Path,
        typer.Argument(
            metavar="MIGRATION", help="A migration's SQL file or folder, or the folder of them all."
        ),
    ],
    live: Annotated[str | None, typer.Argument(metavar="[LIVE]", help=LIVE_HELP)] = None,
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
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What a migration would destroy, before it runs."""
    form = Format.json if as_json else form
    with speaking(form is Format.json, quiet) as voice:
        folder = read_folder(migration)
        side = live_side(live)
        if side and not looks_like_dsn(side):
            raise UsageError(
                f"{side} is not a connection string.",
                "A preflight counts on a database: give postgresql://user@host/database.",
            )
        with LiveSource(side) as source, working(voice) as tell:
            chosen, notes = pending(folder, source)
            flight = preflight(chosen, source, rehearse=rehearse, listener=tell)
        if form in (Format.github, Format.sarif):
            from forensics import __version__

            voice.write(
                github(flight) if form is Format.github else document(sarif(flight, __version__))
            )
        else:
            answer = plain_flight(flight)
            voice.answer(
                {**answer, "notes": notes + answer["notes"]},
                lambda console: _show(console, flight, notes),
            )
        found = flight.destroys or (strict and flight.fails)
        status = FOUND if found else FAILED if flight.uncounted else OK
    raise typer.Exit(status)


def _show(console: Console, flight: Flight, notes: list[str]) -> None:
    if not flight.migrations:
        console.print("No migration is pending.")
    for name in flight.migrations:
        some = [w for w in flight.hazards if w.migration == name]
        if not some:
            console.print(f"Migration {safe(name)}: no hazard.")
            continue
        shown = [
            w
            for w in some
            if w.rows != 0
            or w.fails
            or "fills" in w.says
            or not (CODES[w.hazard.code].fails or w.hazard.destroys)
        ]
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
        for w in shown:
            about = (
                ""
                if w.hazard.table is None or str(w.hazard.table) in w.says
                else f"{w.hazard.table}: "
            )
            within = f" (in {w.hazard.within})" if w.hazard.within else ""
            says = safe(about + w.says + within) + (
                " [bold](fails)[/]" if w.fails and "fails" not in w.says else ""
            )
            table.add_row(
                str(w.hazard.line),
                w.hazard.code,
                says,
                _size(w.table_bytes),
                style=_STYLES[level(w)],
            )
        if shown:
            console.print(table)
        if len(shown) < len(some):
            console.print(
                f"{len(some) - len(shown)} more were counted, and nothing stands in their way."
            )
    for step in flight.rehearsal or ():
        took = ", ".join(f"{n:,} of {where}" for where, n in sorted(step.took.items()))
        if took or step.error:
            text = " ".join(step.sql.split())[:60]
            console.print(
                f"rehearsal, line {step.line} ({safe(text)}): "
                + safe(f"fails: {step.error}" if step.error else f"takes {took}")
            )
    for note in [*notes, *flight.notes]:
        console.print(f"[yellow]{safe(note)}[/]")
    taken = sum(w.rows or 0 for w in flight.hazards if w.destroys)
    failing = sum(w.fails for w in flight.hazards)
    said = [
        f"{taken:,} rows and values would be destroyed or overwritten."
        if taken
        else "Nothing that was counted would be destroyed."
    ]
    if gone := sum(n for step in flight.rehearsal or () for n in step.took.values()):
        said.append(f"The rehearsal took {gone:,}.")
    if failing:
        said.append(
            f"{failing} {'hazard' if failing == 1 else 'hazards'} would make a statement fail on the data as it is."
        )
    if flight.uncounted:
        hint = "; --rehearse runs it on a copy." if flight.rehearsal is None else "."
        said.append(f"Something that may destroy could not be counted{hint}")
    console.print(f"\n[bold]{' '.join(said)}[/]")


def _size(size: int | None) -> str:
    if size is None:
        return ""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
