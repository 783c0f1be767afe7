"""`cause`: which migration statement did it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as RichTable

from forensics.case import facade as cases
from forensics.case.cause import find_cause, verdict
from forensics.cli.voice import (
    FAILED,
    FOUND,
    OK,
    CaseFolder,
    Json,
    Quiet,
    Voice,
    app,
    safe,
    speaking,
)
from forensics.model import TableName
from forensics.text import counted


@app.command("cause")
def cause_command(
    case: CaseFolder,
    migrations: Annotated[
        Path | None,
        typer.Option(
            "--migrations",
            metavar="DIR",
            help="The migration folder. Default: show what was found before.",
        ),
    ] = None,
    ran: Annotated[
        list[str] | None,
        typer.Option(
            "--ran",
            metavar="NAME",
            help="A migration that ran since the backup, where no history table says so.",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Which migration statement did it."""
    with speaking(as_json, quiet) as voice, cases.open_case(case) as opened:
        with working(voice) as tell:
            found = find_cause(opened, migrations, ran=tuple(ran or ()), listener=tell).found
        voice.answer(found, lambda console: show_cause(console, found))
        status_code = FAILED if not opened.complete else OK if opened.nothing_missing else FOUND
    raise typer.Exit(status_code)


@contextmanager
def working(voice: Voice) -> Iterator[Callable[[str], None]]:
    """Lend what tells on stderr, in one line that comes and goes, how far a command is; silent where nobody watches."""
    if voice.quiet or not voice.err.is_terminal:
        yield lambda _: None
        return
    with voice.err.status("") as status:
        yield lambda text: status.update(safe(text))


def show_cause(console: Console, found: Mapping[str, Any]) -> None:
    """Print what `cause.json` holds, for people."""
    since = [
        m
        for m in found["migrations"]
        if (m["in_live"] and not m["in_backup"]) or m["state"] in ("failed", "rolled back")
    ]
    if since:
        table = RichTable(
            "migration",
            "applied at",
            "state",
            "file",
            title="Since the backup",
            title_justify="left",
        )
        for m in since:
            table.add_row(
                safe(m["name"]),
                safe(m["applied_at"] or "–"),
                m["state"],
                m["file"],
                style="yellow" if m["file"] != "match" else None,
            )
        console.print(table)
    struck = [s for s in found["statements"] if s["rows"] or s["changed"] or s["blanked"]]
    for name in dict.fromkeys(s["migration"] for s in struck):
        table = RichTable(
            "line",
            "hazard",
            "of",
            "missing",
            "moved",
            "changed",
            "blanked",
            title=f"Migration {safe(name)}",
            title_justify="left",
        )
        for s in (s for s in struck if s["migration"] == name):
            where = str(TableName(s["schema"], s["table"])) if s["table"] else "–"
            counts = (f"{s[c]:,}" if s[c] else "" for c in ("rows", "moved", "changed", "blanked"))
            table.add_row(
                str(s["line"]),
                s["hazard"],
                safe(where + (f".{s['column']}" if s["column"] else "")),
                *counts,
            )
        table.columns[1].no_wrap = True
        table.columns[2].overflow = "fold"
        for column in (table.columns[0], *table.columns[3:]):
            column.justify = "right"
        console.print(table)
    for u in found["unexplained"]:
        console.print(
            f"{safe(TableName(u['schema'], u['table']))}: {counted(u['rows'], 'missing row')} unexplained"
        )
    for u in found["unexplained_values"]:
        console.print(
            f"{safe(TableName(u['schema'], u['table']))}.{safe(u['column'])}: {u['values']:,} missing values are unexplained"
        )
    for step in found["replay"]["failed"]:
        console.print(
            f"[yellow]Migration {safe(step['migration'])}, line {step['line']} did not run in the replay: {safe(step['error'])}.[/]"
        )
    for note in found["notes"]:
        console.print(f"[yellow]{safe(note)}[/]")
    console.print(f"\n[bold]{safe(verdict(found))}[/]")
