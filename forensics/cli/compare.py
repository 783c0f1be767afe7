"""`compare`: table by table, then the loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import manual
from forensics.cli.given import (
    Backup,
    Database,
    Engine,
    Jobs,
    Keys,
    Live,
    LongestRow,
    Master,
    Memory,
    Nice,
    NotSchemas,
    NotTables,
    Schemas,
    Tables,
    junctions,
    keys,
    several,
)
from forensics.cli.progress import listening
from forensics.cli.times import parse_time
from forensics.cli.voice import (
    Json,
    Quiet,
    Voice,
    app,
    live_sides,
    safe,
    speaking,
    status_of,
)
from forensics.compare.options import Options
from forensics.model import COUNTS, ColumnChange, TableResult
from forensics.text import count, counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from forensics.case.facade import Case


_BESIDE = 22  # lines of a terminal for what is said beside the table
_FEWEST = 8
_NAMED = 4


@app.command("compare", epilog=manual.COMPARE)
def compare_command(
    backup: Backup,
    live: Live = None,
    case: Annotated[
        Path, typer.Option("--case", metavar="DIR", help="The folder to write the case into.")
    ] = Path("case"),
    schema: Schemas = None,
    table: Tables = None,
    exclude_schema: NotSchemas = None,
    exclude_table: NotTables = None,
    key: Keys = None,
    jobs: Jobs = 1,
    memory: Memory = Options.memory,
    max_row: LongestRow = Options.max_row,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an earlier run ended.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a case that is there.")] = False,
    backup_at: Annotated[
        str | None, typer.Option("--backup-at", metavar="TIME", help="When the backup was taken.")
    ] = None,
    incident_at: Annotated[
        str | None, typer.Option("--incident-at", metavar="TIME", help="When the incident struck.")
    ] = None,
    database: Database = None,
    junction: Annotated[
        list[str] | None,
        typer.Option(
            "--junction",
            metavar="TABLE=…",
            help="TABLE=COLUMN:PARENT,COLUMN:PARENT: a junction table that is not seen as one; "
            "PARENT.KEY for another key of a parent than its primary one.",
        ),
    ] = None,
    no_junction: Annotated[
        list[str] | None,
        typer.Option("--no-junction", metavar="TABLE", help="A table that is no junction table."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare a second time, byte for byte, without hashes.")
    ] = False,
    overwritten_rows: Annotated[
        int,
        typer.Option(
            "--overwritten-rows",
            metavar="N",
            min=1,
            help="In how many rows one pattern has to hold to say that values were destroyed.",
        ),
    ] = Options.overwritten_rows,
    overwritten_share: Annotated[
        float,
        typer.Option(
            "--overwritten-share",
            metavar="SHARE",
            min=0.0,
            max=1.0,
            help="In which share of a table's changed rows.",
        ),
    ] = Options.overwritten_share,
    lock_timeout: Annotated[
        str,
        typer.Option("--lock-timeout", metavar="TIME", help="How long to wait for a lock on live."),
    ] = Options.lock_timeout,
    statement_timeout: Annotated[
        str,
        typer.Option(
            "--statement-timeout",
            metavar="TIME",
            help="How long a statement on live may run; 0: no limit.",
        ),
    ] = Options.statement_timeout,
    nice: Nice = False,
    wire: Annotated[
        str,
        typer.Option(
            "--wire",
            metavar="auto|full|low",
            help="How rows of live come: all (full), or fingerprints of them and what differs "
            "(low); auto takes low where less than 4 MB a second come.",
        ),
    ] = Options.wire,
    lives: Annotated[
        list[str] | None,
        typer.Option(
            "--live",
            metavar="DSN",
            help="In place of LIVE, repeated: databases whose rows are taken together (shards).",
        ),
    ] = None,
    engine: Engine = None,
    master: Master = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare table by table, then classify the loss."""
    with speaking("compare", as_json, quiet, case) as voice:
        options = Options(
            schemas=several(schema),
            tables=several(table),
            not_schemas=several(exclude_schema),
            not_tables=several(exclude_table),
            keys=keys(several(key)),
            jobs=jobs,
            resume=resume,
            memory=memory,
            max_row=max_row,
            database=database,
            junctions=junctions(several(junction)),
            not_junctions=several(no_junction),
            verify=verify,
            overwritten_rows=overwritten_rows,
            overwritten_share=overwritten_share,
            lock_timeout=lock_timeout,
            statement_timeout=statement_timeout,
            nice=nice,
            wire=wire,
            engine=engine,
            master=master,
        )
        from forensics.investigation import compare

        with listening(voice) as listener:
            found = compare(
                backup,
                live_sides(live, several(lives)),
                case,
                options=options,
                listener=listener,
                force=force,
                times={
                    "backup_at": parse_time(backup_at) if backup_at else None,
                    "incident_at": parse_time(incident_at) if incident_at else None,
                },
            )
        status = _answer(voice, found)
    raise typer.Exit(status)


def _answer(voice: Voice, found: Case) -> int:
    """Say what was found; return the exit status."""
    from forensics.case.bounds import answered

    if found.damage:
        voice.err.print(f"[red]The backup is not whole: {safe(found.damage)}.[/]")
    voice.answer(found.summary, lambda console: _show(console, found))
    for sentence in found.unknown:
        voice.err.print(f"[red]{safe(sentence)}[/]")
    return status_of(complete=answered(found), found=not found.nothing_missing)


def _show(console: Console, found: Case) -> None:
    from forensics.case.summary import findings_json

    _show_tables(console, found)
    for line in _drift(found.store.changes(), brief=console.is_terminal):
        console.print(line)
    findings = [finding["text"] for finding in findings_json(found)]
    for text in (*findings, *found.notes):
        console.print(f"note: {safe(text)}")
    console.print(f"\n[bold]{safe(found.verdict)}[/]\nThe case is in {safe(found.folder)}.")


def _show_tables(console: Console, found: Case) -> None:
    """The worst tables first; on a terminal as many as leave the verdict in sight."""
    from forensics.case.frames import worst_first
    from forensics.loss.others import others

    spoilt = others(found.store).tables
    counting = [r for r in found.results if not r.history or r.state == "failed"]
    differing = worst_first(r for r in counting if not r.intact or r.name in spoilt)
    differing.sort(key=lambda result: result.state != "failed")
    shown = differing
    if console.is_terminal:
        shown = differing[: max(console.height - _BESIDE, _FEWEST)]
    if shown:
        console.print(_table(shown))
    if len(shown) < len(differing):
        more = counted(len(differing) - len(shown), "more table")
        console.print(f"{more} lost less, or only changed: summary.json in the case has all.")
    intact = len(counting) - len(differing)
    if intact:
        verb = "is" if intact == 1 else "are"
        more = counted(intact, "more table")
        console.print(f"{more} {verb} intact: every backup row is in live, unchanged.")


def _table(results: Sequence[TableResult]) -> RichTable:
    heads = [name.replace("_", " ") for name in COUNTS]
    from rich.table import Table as RichTable

    table = RichTable("table", "state", *heads)
    for result in results:
        counts = [count(getattr(result, name)) for name in COUNTS]
        style = ""
        if result.state == "failed":
            style = "red"
        table.add_row(safe(result.name), result.state, *counts, style=style)
    table.columns[0].overflow = "fold"  # half a name names nothing
    table.columns[1].min_width = len("compared")
    for column in table.columns[2:]:
        column.justify = "right"
    return table


def _drift(changes: Iterable[ColumnChange], *, brief: bool) -> Iterator[str]:
    """What became of columns: each in a line, or those of one fate together."""
    fates: dict[str, list[str]] = {}
    for change in changes:
        name = f"{safe(change.name)}.{safe(change.column)}"
        if brief:
            fates.setdefault(_fate(change), []).append(name)
        else:
            yield f"column {name}: {_fate(change)}"
    for fate, names in fates.items():
        more = ""
        if len(names) > _NAMED:
            more = f" and {len(names) - _NAMED} more"
        yield f"{counted(len(names), 'column')} {fate}: {', '.join(names[:_NAMED])}{more}"


def _fate(change: ColumnChange) -> str:
    said = str(change.change)
    if change.change not in ("dropped", "added"):
        said += safe(f": {change.before} → {change.after}")
    if change.values_missing is not None:
        said += f", {change.values_missing:,} values"
    return said
