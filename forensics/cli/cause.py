"""`cause`: which migration statement did it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as RichTable

from forensics import case as cases
from forensics.case.cause import find_cause, verdict
from forensics.cli.voice import FAILED, FOUND, OK, CaseFolder, Json, Quiet, app, safe, speaking
from forensics.model import TableName


@app.command("cause")
def cause_command(
    case: CaseFolder,
    migrations: Annotated[
        Path | None, typer.Option("--migrations", metavar="DIR", help="The migration folder. Default: show what was found before.")
    ] = None,
    ran: Annotated[
        list[str] | None, typer.Option("--ran", metavar="NAME", help="A migration that ran since the backup, where no history table says so.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Which migration statement did it."""
    with speaking(as_json, quiet) as voice, cases.open_case(case) as opened:
        with voice.err.status("placing the migrations") if voice.err.is_terminal and not quiet else _silent() as status:
            found = find_cause(opened, migrations, ran=tuple(ran or ()), listener=lambda text: status.update(safe(text))).found
        voice.answer(found, lambda console: show_cause(console, found))
        status_code = FAILED if not opened.complete else OK if opened.nothing_missing else FOUND
    raise typer.Exit(status_code)


class _silent:
    """A progress line that is not shown."""

    def __enter__(self) -> _silent:
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self, status: str) -> None:
        """Say nothing."""


def show_cause(console: Console, found: dict[str, Any]) -> None:
    """Print what `cause.json` holds, for people."""
    since = [m for m in found["migrations"] if (m["in_live"] and not m["in_backup"]) or m["state"] in ("failed", "rolled back")]
    if since:
        table = RichTable("migration", "applied at", "state", "file", title="Since the backup", title_justify="left")
        for m in since:
            table.add_row(safe(m["name"]), safe(m["applied_at"] or "–"), m["state"], m["file"], style="yellow" if m["file"] != "match" else None)
        console.print(table)
    struck = [s for s in found["statements"] if s["rows"] or s["changed"] or s["blanked"]]
    if struck:
        table = RichTable("line", "statement", "hazard", "table", "missing", "moved", "changed", "blanked", title="What each statement took", title_justify="left")
        for s in struck:
            column = f".{s['column']}" if s["column"] else ""
            where = str(TableName(s["schema"], s["table"])) if s["table"] else "–"
            text = " ".join(s["sql"].split())
            counts = (f"{s[c]:,}" if s[c] else "" for c in ("rows", "moved", "changed", "blanked"))
            table.add_row(str(s["line"]), safe(text[:60] + "…" * (len(text) > 60)), s["hazard"], safe(where + column), *counts)
        for column in (table.columns[0], *table.columns[4:]):
            column.justify = "right"
        console.print(table)
    for u in found["unexplained"]:
        console.print(f"{safe(TableName(u['schema'], u['table']))}: {u['rows']:,} missing rows are unexplained")
    for u in found["unexplained_values"]:
        console.print(f"{safe(TableName(u['schema'], u['table']))}.{safe(u['column'])}: {u['values']:,} missing values are unexplained")
    for step in found["replay"]["failed"]:
        console.print(f"[yellow]{safe(step['migration'])}, line {step['line']} did not run in the replay: {safe(step['error'])}.[/]")
    for note in found["notes"]:
        console.print(f"[yellow]{safe(note)}[/]")
    console.print(f"\n[bold]{safe(verdict(found))}[/]")
