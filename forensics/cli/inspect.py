"""`inspect`: what a backup holds, and whether it is whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table as RichTable

from forensics.cli.voice import FAILED, OK, Json, Quiet, app, safe, speaking
from forensics.evidence import open_source
from forensics.evidence.inspection import Inspection, inspect_backup
from forensics.model import plain

_LEVELS = {"stop": "bold red", "mind": "yellow", "note": "dim"}


@app.command("inspect")
def inspect_command(
    backup: Annotated[
        str, typer.Argument(metavar="BACKUP", help="A dump, or a connection string.")
    ],
    toc: Annotated[
        bool,
        typer.Option(
            "--toc",
            help="Read the table of contents only: quick, and blind to damage within tables.",
        ),
    ] = False,
    database: Annotated[
        str | None, typer.Option("--database", help="Which database of a pg_dumpall file.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What a backup holds, and whether it is whole."""
    with (
        speaking(as_json, quiet) as voice,
        open_source(backup, role="backup", database=database) as source,
    ):
        shown = not quiet and voice.err.is_terminal
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            console=voice.err,
            transient=True,
            disable=not shown,
        ) as progress:
            task = progress.add_task("reading")
            found = inspect_backup(
                source,
                read_rows=not toc,
                progress=lambda name, _: progress.update(task, description=f"reading {safe(name)}"),
            )
        voice.answer(_as_json(found), lambda console: _show(console, found))
        if not found.whole:
            voice.err.print(f"[bold red]{safe(found.verdict)}[/]")
    raise typer.Exit(OK if found.whole else FAILED)


def _as_json(found: Inspection) -> dict[str, Any]:
    return {
        "backup": {**plain(found.provenance), "damage": found.damage},
        "whole": found.whole,
        "verdict": found.verdict,
        "tables": [
            {
                "schema": t.table.name.schema,
                "table": t.table.name.table,
                "kind": t.table.kind,
                "data": t.data,
                "bytes": t.bytes,
                "rows": t.rows,
                "newest": t.newest,
                "problem": t.problem,
            }
            for t in found.tables
        ],
        "sequences": plain(found.sequences),
        "extensions": list(found.extensions),
        "large_objects": found.large_objects,
        "last_migration": plain(found.last_migration),
        "newest": found.newest,
        "findings": [{"level": level, "text": text} for level, text in found.findings],
    }


def _show(console: Console, found: Inspection) -> None:
    p = found.provenance
    facts = {
        "kind": " ".join(filter(None, (p.kind, f"({p.compression})" if p.compression else None))),
        "size": f"{p.bytes:,} bytes" if p.bytes is not None else None,
        "sha256": p.sha256,
        "server": p.server_version,
        "pg_dump": p.dump_version,
        "database": p.database,
        "encoding": p.encoding,
    }
    for name, value in facts.items():
        if value:
            console.print(f"{name:>9}  {safe(value)}")
    table = RichTable("table", "rows", "bytes", "newest row", "note")
    table.columns[1].justify = table.columns[2].justify = "right"
    for t in sorted(found.tables, key=lambda t: (-(t.rows or 0), -(t.bytes or 0), t.table.name)):
        table.add_row(
            safe(t.table.name),
            "–" if t.rows is None else f"{t.rows:,}",
            "–" if t.bytes is None else f"{t.bytes:,}",
            t.newest or "",
            safe(t.problem or ("" if t.data else "no rows in this backup")),
            style="red" if t.problem else None if t.data else "dim",
        )
    console.print(table)
    _show_times(console, found)
    for level, text in found.findings:
        console.print(f"[{_LEVELS[level]}]{level}[/]  {safe(text)}")
    console.print(f"\n[bold]{safe(found.verdict)}[/]")


def _show_times(console: Console, found: Inspection) -> None:
    """The time line: what the backup says of when, the latest last."""
    last, taken = found.last_migration, found.provenance.dumped_at
    moments: list[tuple[str, str]] = []
    if last and last.applied_at:
        moments.append(
            (
                last.applied_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
                f"last migration in it: {last.name}",
            )
        )
    if found.newest:
        moments.append((found.newest, "its newest row was written"))
    if taken:
        moments.append((taken.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"), "it was taken"))
    moments.append((datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"), "now"))
    for at, what in sorted(moments):
        console.print(f"  {at}  {safe(what)}")
