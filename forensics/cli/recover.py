"""`recover`: options, scripts, and the proof that they work. Live is only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as RichTable

from forensics.case import facade as cases
from forensics.cli.voice import (
    FAILED,
    OK,
    CaseFolder,
    Json,
    Quiet,
    Voice,
    app,
    live_side,
    safe,
    speaking,
)
from forensics.recovery import SKIPPABLE, UNREHEARSED, Plan, Tell, silent


@app.command()
def recover(
    case: CaseFolder,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="The folder to write recovery.sql, undo.sql, plan.json and runbook.md into.",
        ),
    ],
    rehearse: Annotated[
        bool,
        typer.Option(
            "--rehearse", help="Prove every option on throw-away copies of live and of the backup."
        ),
    ] = False,
    live: Annotated[
        str | None,
        typer.Option(
            "--live", help="The live database; only read. Default with --rehearse: LIVE_DSN or PG*."
        ),
    ] = None,
    include_unexplained: Annotated[
        bool,
        typer.Option(
            "--include-unexplained",
            help="Also rows that no statement of a migration is known to have taken.",
        ),
    ] = False,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", help="Only these tables (shell pattern, repeatable)."),
    ] = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="Also the values of dropped columns.")
    ] = False,
    migrations: Annotated[
        Path | None,
        typer.Option("--migrations", help="Write a safer migration in place of the harmful one."),
    ] = None,
    backup: Annotated[
        str | None,
        typer.Option(
            "--backup",
            help="Where the backup lies now, if it was moved; for --columns, --migrations and --rehearse.",
        ),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            "--skip",
            metavar="OPTION",
            help=f"An option not to rehearse (repeatable): {', '.join(SKIPPABLE)}.",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Options with their price, recovery.sql, undo.sql, and a rehearsal of every option. Nothing is run on live."""
    with speaking(as_json, quiet) as voice, cases.open_case(case) as found:
        recovery = found.recovery(
            tables=table or (), include_unexplained=include_unexplained, columns=columns
        )
        if rehearse:
            with telling(voice) as tell:
                plan = recovery.rehearse(
                    out,
                    live=live_side(live),
                    migrations=migrations,
                    backup=backup,
                    skip=skip or (),
                    tell=tell,
                )
        else:
            plan = recovery.write(out, live=live, migrations=migrations, backup=backup)
        voice.answer(plan.as_json(), lambda console: _show(console, plan, out))
        for problem in (*((plan.problem,) if plan.problem else ()), *plan.problems):
            voice.err.print(f"[bold red]{safe(problem)}[/]")
        status = OK if plan.holds else FAILED
    raise typer.Exit(status)


@contextmanager
def telling(voice: Voice) -> Iterator[Tell]:
    """Lend what tells on stderr how far a rehearsal is: in one line that comes and goes, or in a line a step where nobody watches."""
    if voice.quiet:
        yield silent
    elif voice.err.is_terminal:
        with voice.err.status("") as status:
            yield lambda step, place="": status.update(safe(f"{step}: {place}" if place else step))
    else:
        said = [""]

        def tell(step: str, place: str = "") -> None:
            if step != said[0]:
                said[0] = step
                voice.note(safe(step))

        yield tell


def _show(console: Console, plan: Plan, out: Path) -> None:
    table = RichTable("option", "recovers", "destroys", "blocked", "verified", "seconds")
    for o in plan.options:
        seconds = "" if o.seconds is None else f"{o.seconds:.1f}"
        table.add_row(
            o.name,
            f"{o.recovers:,}",
            f"{o.destroys:,}",
            f"{o.blocked:,}",
            "yes" if o.verified else "no",
            seconds,
        )
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    for o in plan.options:
        if o.proof:
            console.print(
                f"[bold]{o.name}[/], rehearsed: {safe(' '.join((*o.proof.checks, *o.proof.notes)))}"
            )
        for caveat in (c for c in o.caveats if c.startswith(UNREHEARSED)):
            console.print(f"[bold]{o.name}[/]: [yellow]{safe(caveat)}[/]")
    for trial in plan.migrations:
        console.print(f"Safer migration: {safe(out / 'migrations' / trial.name)}", end="")
        if trial.lost is None:
            console.print(", not tried (--rehearse tries it on a copy of the backup).")
        else:
            kept = f"{trial.rows:,} rows, {trial.values:,} values and {trial.links:,} links kept, {trial.lost:,} lost"
            console.print(f", tried on a copy of the backup: {kept}.")
    console.print(
        f"\n[bold]{safe(plan.recommendation)}[/]\nThe scripts are in {safe(out)}: start with runbook.md."
    )
