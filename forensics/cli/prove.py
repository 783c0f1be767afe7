"""`prove`: does this backup hold what it should? For every night."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from forensics.cli import manual
from forensics.cli.extras import needs
from forensics.cli.given import (
    Backup,
    Database,
    Jobs,
    Keys,
    Live,
    LongestRow,
    Memory,
    Nice,
    NotSchemas,
    NotTables,
    Schemas,
    Tables,
    keys,
    several,
)
from forensics.cli.progress import listening
from forensics.cli.times import parse_time
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
)
from forensics.compare.options import Options
from forensics.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from forensics.prove.checking import Checked
    from forensics.prove.proof import Proof

_STYLES = {"holds": "green", "fails": "bold red", "not known": "red", "not judged": "dim"}
_STATUSES = {True: OK, False: FOUND, None: FAILED}


@app.command(
    "prove", short_help="Does this backup hold what it should? Every night.", epilog=manual.PROVE
)
def prove_command(
    backup: Backup,
    live: Live = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write the proof.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Write one page to sign as well."),
    ] = None,
    checked: Annotated[
        Path | None,
        typer.Option(
            "--check",
            metavar="PROOF",
            help="Hold a proof to BACKUP: is it of this one, and as it was written? "
            "No database is asked.",
        ),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="DIR",
            help="Earlier proofs. From five on, each table is held against its past nights.",
        ),
    ] = None,
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="AGE", help="How old it may be: 26h, 2d, 90min."),
    ] = None,
    backup_at: Annotated[
        str | None,
        typer.Option(
            "--backup-at",
            metavar="TIME",
            help="When the backup was taken, where it does not say; a file's time says nothing.",
        ),
    ] = None,
    expect_tables: Annotated[
        int | None,
        typer.Option("--expect-tables", metavar="N", help="How many tables it holds at least."),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option("--expect", metavar="TABLE", help="A table that it holds (repeatable)."),
    ] = None,
    max_missing: Annotated[
        float | None,
        typer.Option(
            "--max-missing",
            metavar="PERCENT",
            help="How much of any table's rows live may lack.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="TABLE",
            help="A table that is left out of the backup on purpose, or its rows "
            "(shell pattern, repeatable).",
        ),
    ] = None,
    tolerate: Annotated[
        list[str] | None,
        typer.Option(
            "--tolerate",
            metavar="TABLE",
            help="A table whose rows come and go: counted, not judged (shell pattern, repeatable).",
        ),
    ] = None,
    case: Annotated[
        Path | None,
        typer.Option("--case", metavar="DIR", help="Keep the comparison as a case, loss and all."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a case that is there.")] = False,
    schema: Schemas = None,
    table: Tables = None,
    exclude_schema: NotSchemas = None,
    exclude_table: NotTables = None,
    key: Keys = None,
    jobs: Jobs = 1,
    memory: Memory = Options.memory,
    max_row: LongestRow = Options.max_row,
    database: Database = None,
    nice: Nice = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Does this backup hold what live held when it was taken?

    Rows written since, and those that came and went since, are tolerated and counted.
    """
    with speaking("prove", as_json, quiet, case) as voice:
        if checked is not None:
            if live is not None or out is not None or report is not None:
                raise UsageError(
                    "A proof is checked against its backup alone.",
                    "Write: forensics prove --check PROOF BACKUP",
                )
            raise typer.Exit(_check(voice, checked, backup))
        if report is not None:
            needs("report")
        options = Options(
            schemas=several(schema),
            tables=several(table),
            not_schemas=several(exclude_schema),
            not_tables=several(exclude_table),
            keys=keys(several(key)),
            jobs=jobs,
            memory=memory,
            max_row=max_row,
            database=database,
            nice=nice,
        )
        asked = {
            "max_age": max_age,
            "backup_at": parse_time(backup_at) if backup_at else None,
            "expect_tables": expect_tables,
            "expect": several(expect),
            "max_missing": max_missing,
            "without": several(without),
            "tolerate": several(tolerate),
        }
        wanted = _Wanted(out, report, history, case, force)
        found = _prove(voice, (backup, live_side(live)), wanted, options, asked)
    raise typer.Exit(_STATUSES[found.holds])


class _Wanted(NamedTuple):
    """What is to be written, and what it is held against."""

    out: Path | None
    report: Path | None
    history: Path | None
    case: Path | None
    force: bool


def _prove(
    voice: Voice, sides: tuple[str, str], wanted: _Wanted, options: Options, asked: dict[str, Any]
) -> Proof:
    """Make the proof, write it, and say what it came to."""
    from forensics.prove.making import prove
    from forensics.prove.proof import expect_room

    if wanted.report is not None:
        expect_room(wanted.report)
    with listening(voice) as listener:
        found = prove(
            *sides,
            wanted.out,
            history=wanted.history,
            case=wanted.case,
            options=options,
            listener=listener,
            force=wanted.force,
            **asked,
        )
    if wanted.report is not None:
        from forensics.prove.page import write_page

        write_page(found, wanted.report)
    voice.answer(found.as_json(), lambda console: _show(console, found, wanted))
    if not found.holds and not voice.as_json and voice.quiet:
        voice.err.print(f"[bold red]{safe(found.verdict)}[/]")
    return found


def _show(console: Console, found: Proof, wanted: _Wanted) -> None:
    for check in found.checks:
        state = check["state"]
        head = f"[{_STYLES[state]}]{state:<10}[/] {check['check']:<11}"
        console.print(f"{head}  {safe(check['text'])}")
    for note in found["notes"]:
        console.print(f"note: {safe(note)}")
    console.print(f"\n[bold]{safe(found.verdict)}[/]")
    if wanted.out is not None:
        console.print(f"The proof is in {safe(wanted.out)}. Its hash: {found.sha256}")
    if wanted.report is not None:
        console.print(f"The page to sign is {safe(wanted.report)}.")


def _check(voice: Voice, proof: Path, backup: str) -> int:
    from forensics.prove.checking import check

    found = check(proof, backup)
    voice.answer(found.as_json(), lambda console: _show_checked(console, found))
    return _STATUSES[found.holds]


def _show_checked(console: Console, found: Checked) -> None:
    style = "green" if found.holds else "bold red"
    console.print(f"[{style}]{safe(found.verdict)}[/]")
    console.print(f"SHA-256 of the backup: {found.sha256}")
