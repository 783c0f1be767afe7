"""`cause`: which migration statement did it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cause.struck import has_struck
from forensics.cli import manual
from forensics.cli.early import server_ahead
from forensics.cli.voice import (
    CaseFolder,
    Json,
    Quiet,
    Voice,
    app,
    safe,
    speaking,
    status_of,
    working,
)
from forensics.model import TableName
from forensics.text import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from forensics.scratch import Ahead

_COUNTS = ("rows", "moved", "changed", "blanked")


@app.command("cause", epilog=manual.CAUSE)
def cause_command(
    case: CaseFolder,
    migrations: Annotated[
        Path | None,
        typer.Option(
            "--migrations",
            metavar="DIR",
            help="The migration folder. Default: show what was found before, "
            "or what live alone tells.",
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
    with (
        speaking("cause", as_json, quiet, case) as voice,
        server_ahead(case, wanted=migrations is not None) as ahead,
    ):
        status = _answer(voice, case, migrations, tuple(ran or ()), ahead)
    raise typer.Exit(status)


def _answer(
    voice: Voice, case: Path, migrations: Path | None, ran: tuple[str, ...], ahead: Ahead | None
) -> int:
    """Say what is found; return the exit status."""
    from forensics.case.bounds import answered
    from forensics.case.cause import find_cause, verdict
    from forensics.case.facade import open_case

    with open_case(case) as opened:
        with working(voice) as tell:
            found = find_cause(opened, migrations, ran=ran, listener=tell, ahead=ahead).found
        voice.answer(found, lambda console: _show(console, found, verdict(found)))
        known = answered(opened) and not found.get("unknown")
        return status_of(complete=known, found=not opened.nothing_missing)


def _show(console: Console, found: Mapping[str, Any], verdict: str) -> None:
    """Print what `cause.json` holds, for people."""
    since = _ran_since(found)
    if since:
        console.print(_since(since))
    struck = [statement for statement in found["statements"] if has_struck(statement)]
    for name in dict.fromkeys(statement["migration"] for statement in struck):
        its = [statement for statement in struck if statement["migration"] == name]
        console.print(_statements(name, its))
    _show_rebuild(console, found)
    _show_unexplained(console, found)
    for step in found["replay"]["failed"]:
        console.print(
            f"[yellow]Migration {safe(step['migration'])}, line {step['line']} "
            f"did not run in the replay: {safe(step['error'])}.[/]"
        )
    for note in found["notes"]:
        console.print(f"[yellow]{safe(note)}[/]")
    console.print(f"\n[bold]{safe(verdict)}[/]")


def _show_rebuild(console: Console, found: Mapping[str, Any]) -> None:
    """Print what says that the schema was rebuilt, where it was."""
    rebuild = found.get("rebuild") or {}
    if rebuild.get("pattern") != "rebuilt":
        return
    console.print("What says that the schema was rebuilt:")
    for said in rebuild["evidence"]:
        console.print(f"- {safe(said)}")
    for source in rebuild["when"]["sources"]:
        if source["at"] is None:
            console.print(f"- Not known: {safe(source['source'])}: {safe(source['why'])}.")


def _show_unexplained(console: Console, found: Mapping[str, Any]) -> None:
    for rest in found["unexplained"]:
        if rest["rows"] is not None:
            rows = counted(rest["rows"], "missing row")
            console.print(f"{safe(_name(rest))}: {rows} unexplained")
    for rest in found["unexplained_values"]:
        if rest["values"] is not None:
            console.print(
                f"{safe(_name(rest))}.{safe(rest['column'])}: "
                f"{rest['values']:,} missing values are unexplained"
            )


def _ran_since(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    by_time = []
    for event in found["timeline"]:
        if event["kind"] == "migration":
            by_time.append(event["label"])
    return [migration for migration in found["migrations"] if _is_since(migration, by_time)]


def _is_since(migration: Mapping[str, Any], by_time: Collection[str]) -> bool:
    """Whether a migration ran since the backup, or has to be looked at for how it went.

    Args:
        by_time: those that did by the times alone.
    """
    if migration["state"] in ("failed", "rolled back"):
        return True
    if migration["in_backup"] is None:
        return migration["name"] in by_time
    return bool(migration["in_live"] and not migration["in_backup"])


def _since(migrations: Sequence[Mapping[str, Any]]) -> RichTable:
    from rich.table import Table as RichTable

    table = RichTable(
        "migration",
        "applied at",
        "state",
        "file",
        title="Since the backup",
        title_justify="left",
    )
    for migration in migrations:
        style = ""
        if migration["file"] in ("edited", "absent"):
            style = "yellow"
        table.add_row(
            safe(migration["name"]),
            safe(migration["applied_at"] or "–"),
            migration["state"] or "not known",
            migration["file"] or "not known",
            style=style,
        )
    return table


def _statements(migration: str | None, statements: Sequence[Mapping[str, Any]]) -> RichTable:
    from rich.table import Table as RichTable

    title = "By no migration: the schema was rebuilt"
    if migration is not None:
        title = f"Migration {safe(migration)}"
    table = RichTable(
        "line",
        "hazard",
        "of",
        "missing",
        "moved",
        "changed",
        "blanked",
        title=title,
        title_justify="left",
    )
    for statement in statements:
        counts = [_number(statement[count]) for count in _COUNTS]
        line = str(statement["line"] or "–")
        table.add_row(line, statement["hazard"], safe(_place(statement)), *counts)
    table.columns[1].no_wrap = True
    table.columns[2].overflow = "fold"
    for column in (table.columns[0], *table.columns[3:]):
        column.justify = "right"
    return table


def _place(statement: Mapping[str, Any]) -> str:
    """What a statement struck: a table, or a column of it."""
    place = "–"
    if statement["table"]:
        place = str(_name(statement))
    if statement["column"]:
        place += f".{statement['column']}"
    return place


def _name(entry: Mapping[str, Any]) -> TableName:
    return TableName(entry["schema"], entry["table"])


def _number(value: int | None) -> str:
    """A count, where there is anything to count."""
    if value is None:
        return "not known"
    if not value:
        return ""
    return f"{value:,}"
