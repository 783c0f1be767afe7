"""`query`: SQL over a backup, without restoring it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli import manual
from forensics.cli.given import Backup, Database, QueryMemory
from forensics.cli.voice import (
    FAILED,
    OK,
    Json,
    MaxRow,
    Quiet,
    Voice,
    app,
    safe,
    speaking,
    working,
)
from forensics.compare.options import Options
from forensics.model import MAX_ROW, TableName
from forensics.text import document, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forensics.query.session import Session, Told
    from forensics.query.side import Side

_SHOWN = 1_000  # rows of a table that is looked at
_WIDEST = 10_000  # columns
_TOLD_EVERY = 100_000


@app.command("query", epilog=manual.QUERY)
def query_command(
    backup: Backup,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT, as DuckDB takes it.")],
    live: Annotated[
        str | None,
        typer.Option(
            "--live", metavar="DSN", help="A database whose tables are live.NAME beside it."
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="table, csv, json, parquet or markdown."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write to a file, by its suffix."),
    ] = None,
    memory: QueryMemory = Options.memory,
    max_row: MaxRow = MAX_ROW,
    database: Database = None,
    allow_files: Annotated[
        bool, typer.Option("--allow-files", help="Let SQL read and write files and the network.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """SQL over a backup, without restoring it: its tables are there by their names."""
    with speaking("query", as_json, quiet) as voice:
        from forensics.query.session import session
        from forensics.query.writing import format_of

        wanted = format_of(form, out)
        with (
            opened(backup, live, database=database, max_row=max_row) as sides,
            hearing(voice) as heard,
            session(sides, memory=memory, heard=heard, files=allow_files) as asking,
        ):
            if as_json and out is None:
                told = _document(voice, asking, sql)
            elif wanted is None:
                told = _table(voice, asking, sql)
            else:
                told = _file(voice, asking, sql, wanted, out)
        say(voice, told)
    raise typer.Exit(OK if told.complete else FAILED)


@contextmanager
def opened(
    backup: str, live: str | None = None, *, database: str | None, max_row: str
) -> Iterator[Mapping[str, Side]]:
    """Lend the sides of a question, by role."""
    from forensics.evidence import open_source
    from forensics.query.side import Side

    with ExitStack() as open_ones:
        source = open_source(backup, role="backup", database=database, max_row=max_row)
        open_ones.enter_context(source)
        if live is None:
            yield {"backup": Side("backup", source)}
            return
        other = open_ones.enter_context(open_source(live, role="live", max_row=max_row))
        if source.is_partial:
            source.adopt(other.catalog)
        yield {"backup": Side("backup", source), "live": Side("live", other)}


@contextmanager
def hearing(voice: Voice) -> Iterator[Callable[[TableName, int], None]]:
    """Lend what shows on stderr how many rows were read."""
    read: dict[TableName, int] = {}
    with working(voice) as tell:

        def heard(name: TableName, rows: int) -> None:
            before = read.get(name, 0)
            read[name] = before + rows
            if before // _TOLD_EVERY != read[name] // _TOLD_EVERY:
                tell(f"reading {name}: {read[name]:,} rows")

        yield heard


def say(voice: Voice, told: Told) -> None:
    """Say what is to be known of an answer: that rows are not all there above all."""
    for sentence in told.notes:
        voice.note(f"[yellow]{safe(sentence)}[/]")
    for sentence in told.damage:
        voice.err.print(f"[bold red]{safe(sentence)}[/]")
    if told.damage:
        voice.err.print("The answer is of the rows that there are.")


def _table(voice: Voice, asking: Session, sql: str) -> Told:
    from forensics.query.writing import first_rows

    (rows, more), told = asking.ask(sql, "text", lambda reader: first_rows(reader, _SHOWN))
    _print(voice, _drawn(told, rows))
    if more:
        voice.note(
            f"These are the first {_SHOWN:,} rows; `--format csv` or `-o FILE` gives all of them."
        )
    else:
        voice.note(f"{len(rows):,} {plural(len(rows), 'row')}")
    return told


def _print(voice: Voice, table: Any) -> None:
    """Print a table; where nobody's window bounds it, as wide as it is."""
    from rich.measure import Measurement

    from forensics.cli.consoles import PipedConsole

    console = voice.out
    if not console.is_terminal:
        options = console.options.update(max_width=_WIDEST)
        width = Measurement.get(console, options, table).maximum
        console = PipedConsole(highlight=False, soft_wrap=True, width=width)
    console.print(table, crop=False)


def _drawn(told: Told, rows: Sequence[Sequence[str | None]]) -> Any:
    from rich.table import Table as RichTable

    shown = RichTable()
    for column in told.columns:
        is_number = not column.type.endswith("]") and _is_number(column.type)
        shown.add_column(safe(column.name), justify="right" if is_number else "left")
    for row in rows:
        cells = ["[dim]NULL[/]" if cell is None else safe(cell) for cell in row]
        shown.add_row(*cells)
    return shown


def _is_number(kind: str) -> bool:
    return kind.endswith(("INT", "INTEGER", "FLOAT", "DOUBLE")) or kind.startswith("DECIMAL")


def _file(voice: Voice, asking: Session, sql: str, wanted: Any, out: Path | None) -> Told:
    from forensics.query.writing import to_file, to_stdout, write

    if out is None:
        with to_stdout() as file:
            return write(asking, sql, wanted, file).told
    with to_file(out) as file:
        written = write(asking, sql, wanted, file)
    if voice.as_json:
        voice.write(document({"file": str(out), "rows": written.rows, **about(written.told)}))
    else:
        voice.note(f"{written.rows:,} {plural(written.rows, 'row')} are in {safe(out)}.")
    return written.told


def _document(voice: Voice, asking: Session, sql: str) -> Told:
    """One JSON document: the rows, and what is to be known of them."""
    from forensics.query.writing import to_stdout, write

    with to_stdout() as file:
        told = write(asking, sql, "json", file).told
        file.seek(0)
        rows = file.read()
        head = document(about(told)).rstrip().removesuffix("}").rstrip()
        file.seek(0)
        file.truncate()
        file.write(f'{head},\n  "rows": '.encode() + rows.rstrip() + b"\n}\n")
    return told


def about(told: Told) -> dict[str, Any]:
    """What is to be known of an answer, for JSON."""
    columns = [{"name": column.name, "type": column.type} for column in told.columns]
    tables = [{"side": role, "schema": n.schema, "table": n.table} for role, n in told.tables]
    return {
        "complete": told.complete,
        "columns": columns,
        "tables": tables,
        "damage": list(told.damage),
        "notes": list(told.notes),
    }
