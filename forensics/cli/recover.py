"""`recover`: options, scripts, and the proof that they work. Live is only read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as RichTable

from forensics import case as cases
from forensics.cli.voice import FAILED, OK, CaseFolder, Json, Quiet, app, live_side, safe, speaking
from forensics.recovery import Plan


@app.command()
def recover(
    case: CaseFolder,
    out: Annotated[Path, typer.Option("--out", help="The folder to write recovery.sql, undo.sql, plan.json and runbook.md into.")],
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Prove the scripts on a throw-away copy of what they touch.")] = False,
    live: Annotated[
        str | None, typer.Option("--live", help="The live database; only read. Default with --rehearse: LIVE_DSN or PG*.")
    ] = None,
    include_unexplained: Annotated[
        bool, typer.Option("--include-unexplained", help="Also rows that no statement of a migration is known to have taken.")
    ] = False,
    table: Annotated[list[str] | None, typer.Option("--table", help="Only these tables (shell pattern, repeatable).")] = None,
    columns: Annotated[bool, typer.Option("--columns", help="Also the values of dropped columns.")] = False,
    migrations: Annotated[Path | None, typer.Option("--migrations", help="Write a safer migration in place of the harmful one.")] = None,
    backup: Annotated[
        str | None, typer.Option("--backup", help="Where the backup lies now, if it was moved; for --columns and --migrations.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Options with their price, recovery.sql, undo.sql, and a rehearsal of both. Nothing is run on live."""
    with speaking(as_json, quiet) as voice, cases.open_case(case) as found:
        recovery = found.recovery(tables=table or (), include_unexplained=include_unexplained, columns=columns)
        if rehearse:
            plan = recovery.rehearse(out, live=live_side(live), migrations=migrations, backup=backup)
        else:
            plan = recovery.write(out, live=live, migrations=migrations, backup=backup)
        voice.answer(plan.as_json(), lambda console: _show(console, plan, out))
        for problem in (
            *((plan.problem,) if plan.problem else ()),
            *(plan.rehearsal.problems if plan.rehearsal else ()),
            *(p for t in plan.migrations for p in t.problems),
        ):
            voice.err.print(f"[bold red]{safe(problem)}[/]")
        status = OK if plan.holds else FAILED
    raise typer.Exit(status)


def _show(console: Console, plan: Plan, out: Path) -> None:
    table = RichTable("option", "recovers", "destroys", "blocked", "verified", "seconds")
    for o in plan.options:
        seconds = "" if o.seconds is None else f"{o.seconds:.1f}"
        table.add_row(o.name, f"{o.recovers:,}", f"{o.destroys:,}", f"{o.blocked:,}", "yes" if o.verified else "no", seconds)
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    proof = plan.rehearsal
    if proof:
        console.print(
            f"Rehearsed: {proof.lost_before:,} rows lost before, {proof.lost_after:,} after, {proof.blocked:,} of them blocked; "
            f"{'a second run changes nothing' if proof.idempotent else 'a second run changes something'}; "
            f"{'undo restores everything' if proof.undo_restores else 'undo does not restore everything'}."
        )
    for trial in plan.migrations:
        console.print(f"Safer migration: {safe(out / 'migrations' / trial.name)}", end="")
        if trial.lost is None:
            console.print(", not tried (--rehearse tries it on a copy of the backup).")
        else:
            kept = f"{trial.rows:,} rows, {trial.values:,} values and {trial.links:,} links kept, {trial.lost:,} lost"
            console.print(f", tried on a copy of the backup: {kept}.")
    console.print(f"\n[bold]{safe(plan.recommendation)}[/]\nThe scripts are in {safe(out)}: start with runbook.md.")
