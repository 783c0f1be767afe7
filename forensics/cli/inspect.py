"""`inspect`: what a backup holds, and whether it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli import manual
from forensics.cli.given import Backup, Database
from forensics.cli.voice import FAILED, OK, Json, MaxRow, Quiet, Voice, app, safe, speaking
from forensics.documents import plain
from forensics.model import MAX_ROW, TableName
from forensics.text import count

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from forensics.evidence.inspection import Held, Inspection

_LEVELS = {"stop": "bold red", "mind": "yellow", "note": "dim"}
_TIME = "%Y-%m-%d %H:%M:%S"


@app.command("inspect", epilog=manual.INSPECT)
def inspect_command(
    backup: Backup,
    toc: Annotated[
        bool,
        typer.Option(
            "--toc",
            help="Read the table of contents only: quick, and blind to damage within tables.",
        ),
    ] = False,
    database: Database = None,
    max_row: MaxRow = MAX_ROW,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What a backup holds, and whether it is whole."""
    with speaking("inspect", as_json, quiet) as voice:
        from forensics.evidence import open_source
        from forensics.evidence.inspection import inspect_backup

        with (
            open_source(backup, role="backup", database=database, max_row=max_row) as source,
            _reading(voice) as progress,
        ):
            found = inspect_backup(source, read_rows=not toc, progress=progress)
        voice.answer(_as_json(found), lambda console: _show(console, found))
        if not found.whole:
            voice.err.print(f"[bold red]{safe(found.verdict)}[/]")
    raise typer.Exit(OK if found.whole else FAILED)


@contextmanager
def _reading(voice: Voice) -> Iterator[Callable[[TableName, int], None]]:
    """Lend what shows on stderr which table is read, as far as it can show it."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    watched = not voice.quiet and voice.err.is_terminal
    with Progress(*columns, console=voice.err, transient=True, disable=not watched) as progress:
        task = progress.add_task("reading")

        def tell(name: TableName, _: int) -> None:
            progress.update(task, description=f"reading {safe(name)}")

        yield tell


def _as_json(found: Inspection) -> dict[str, Any]:
    return {
        "backup": {**plain(found.provenance), "damage": found.damage},
        "whole": found.whole,
        "verdict": found.verdict,
        "tables": [_table_json(table) for table in found.tables],
        "sequences": plain(found.sequences),
        "extensions": list(found.extensions),
        "large_objects": found.large_objects,
        "last_migration": plain(found.last_migration),
        "history": plain(found.history),
        "newest": found.newest,
        "findings": [{"level": level, "text": text} for level, text in found.findings],
    }


def _table_json(inspected: Held) -> dict[str, Any]:
    table = inspected.table
    return {
        "schema": table.name.schema,
        "table": table.name.table,
        "kind": table.kind,
        "data": inspected.data,
        "bytes": inspected.bytes,
        "rows": inspected.rows,
        "newest": inspected.newest,
        "problem": inspected.problem,
    }


def _show(console: Console, found: Inspection) -> None:
    for name, value in _facts(found).items():
        if value:
            console.print(f"{name:>9}  {safe(value)}")
    console.print(_table(found))
    _show_times(console, found)
    for level, text in found.findings:
        console.print(f"[{_LEVELS[level]}]{level}[/]  {safe(text)}")
    console.print(f"\n[bold]{safe(found.verdict)}[/]")


def _facts(found: Inspection) -> dict[str, str | None]:
    backup = found.provenance
    kind: str = backup.kind
    if backup.compression:
        kind = f"{kind} ({backup.compression})"
    size = None
    if backup.bytes is not None:
        size = f"{backup.bytes:,} bytes"
    return {
        "kind": kind,
        "size": size,
        "sha256": backup.sha256,
        "server": backup.server_version,
        "pg_dump": backup.dump_version,
        "database": backup.database,
        "encoding": backup.encoding,
    }


def _table(found: Inspection) -> RichTable:
    from rich.table import Table as RichTable

    shown = RichTable("table", "rows", "bytes", "newest row", "note")
    shown.columns[1].justify = shown.columns[2].justify = "right"
    for table in sorted(found.tables, key=_largest_first):
        note, style = table.problem or "", "red"
        if not table.problem:
            style = ""
            if not table.data:
                note, style = "no rows in this backup", "dim"
        shown.add_row(
            safe(table.table.name),
            count(table.rows),
            count(table.bytes),
            table.newest or "",
            safe(note),
            style=style,
        )
    return shown


def _largest_first(table: Held) -> tuple[int, int, TableName]:
    return -(table.rows or 0), -(table.bytes or 0), table.table.name


def _show_times(console: Console, found: Inspection) -> None:
    """The time line: what the backup says of when, the latest last."""
    last, taken = found.last_migration, found.provenance.dumped_at
    moments: list[tuple[str, str]] = []
    if last and last.applied_at:
        moments.append((_time(last.applied_at), f"last migration in it: {last.name}"))
    if found.newest:
        moments.append((found.newest, "its newest row was written"))
    if taken:
        moments.append((_time(taken), "it was taken"))
    moments.append((_time(datetime.now(UTC)), "now"))
    for at, what in sorted(moments):
        console.print(f"  {at}  {safe(what)}")


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_TIME)
