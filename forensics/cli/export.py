"""`export`: tables of a backup as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli import manual
from forensics.cli.given import Backup, Database, QueryMemory
from forensics.cli.query import hearing, opened
from forensics.cli.voice import FAILED, OK, Json, MaxRow, Quiet, Voice, app, safe, speaking
from forensics.compare.options import Options
from forensics.model import MAX_ROW
from forensics.text import document, plural

if TYPE_CHECKING:
    from forensics.export.exporting import Exported

FORCE_HELP = "Take the place of a file that is there."


@app.command("export", epilog=manual.EXPORT)
def export_command(
    backup: Backup,
    tables: Annotated[
        list[str],
        typer.Option("--table", "-t", metavar="NAME", help="A table, or a shell pattern; repeat."),
    ],
    to: Annotated[
        Path,
        typer.Option("--to", metavar="FILE", help="Its suffix: .parquet, .csv, .sql or .dump."),
    ],
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="SQL", help="Which rows: DuckDB's SQL over the columns."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=FORCE_HELP)] = False,
    memory: QueryMemory = Options.memory,
    max_row: MaxRow = MAX_ROW,
    database: Database = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tables of a backup as a file: typed, as CSV, for psql or for pg_restore."""
    with speaking("export", as_json, quiet) as voice:
        from forensics.export.exporting import export

        with (
            opened(backup, database=database, max_row=max_row) as sides,
            hearing(voice) as heard,
        ):
            done = export(
                sides["backup"],
                tables,
                to,
                where=where,
                force=force,
                memory=memory,
                heard=heard,
            )
        _say(voice, done)
    raise typer.Exit(OK if done.complete else FAILED)


def _say(voice: Voice, done: Exported) -> None:
    for table in done.tables:
        for sentence in table.read.notes:
            voice.note(f"[yellow]{safe(sentence)}[/]")
    for sentence in done.notes:
        voice.note(f"[yellow]{safe(sentence)}[/]")
    for sentence in done.damage:
        voice.err.print(f"[bold red]{safe(sentence)}[/]")
    if voice.as_json:
        voice.write(document(_about(done)))
        return
    for table in done.tables:
        rows = table.read.rows
        voice.note(f"{safe(table.name)}: {rows:,} {plural(rows, 'row')}")
    voice.note(f"Written to {safe(done.file)}.")


def _about(done: Exported) -> dict[str, Any]:
    """What was written, for JSON."""
    tables = []
    notes = list(done.notes)
    for table in done.tables:
        tables.append(
            {
                "schema": table.name.schema,
                "table": table.name.table,
                "rows": table.read.rows,
                "complete": not table.read.damage,
            }
        )
        notes += table.read.notes
    return {
        "file": str(done.file),
        "rows": done.rows,
        "complete": done.complete,
        "tables": tables,
        "damage": done.damage,
        "notes": notes,
    }
