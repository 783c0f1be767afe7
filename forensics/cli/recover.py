"""`recover`: options, scripts, and the proof that they work. Live is only read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from forensics.cli import manual
from forensics.cli.early import server_ahead
from forensics.cli.selection import show_laid, show_selection
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
from forensics.recovery.proof import Tell, silent
from forensics.recovery.wishes import SKIPPABLE
from forensics.text import count

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from forensics.recovery import Plan
    from forensics.recovery.choose.options import Option
    from forensics.recovery.proof import Trial


class _Recover(TyperCommand):
    """Takes `--columns TABLE.COLUMN,…` beside `--columns` alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments: a name behind `--columns` says of which column."""
        told: list[str] = []
        for place, word in enumerate(args):
            before = args[place - 1] if place else ""
            named = before == "--columns" and _NAMED.match(word) and not Path(word).exists()
            if named:
                told[-1:] = ["--values", word]
            elif word.startswith("--columns="):
                told += ["--values", word.partition("=")[2]]
            else:
                told.append(word)
        return super().parse_args(ctx, told)


_NAMED = re.compile(r"[^-/][^/]*\.[^/]+\Z")


@app.command(
    cls=_Recover, short_help="What can come back, its price, the scripts.", epilog=manual.RECOVER
)
def recover(
    case: CaseFolder,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="DIR",
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
            "--live",
            metavar="DSN",
            help="The live database; only read. Default with --rehearse: LIVE_DSN or PG*.",
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
        typer.Option(
            "--table", metavar="NAME", help="Only these tables (shell pattern, repeatable)."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="CONDITION",
            help="Only what belongs to some rows, such as 'tenants.id = 7' (repeatable): "
            "they, what refers to them, and the lost parents that this needs.",
        ),
    ] = None,
    rows: Annotated[
        list[str] | None,
        typer.Option("--rows", metavar="TABLE=KEY,…", help="The same by their keys (repeatable)."),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="SCHEMA",
            help="Have recovery.sql lay the lost rows into a schema beside the tables, "
            "to look and choose.",
        ),
    ] = None,
    columns: Annotated[
        bool,
        typer.Option(
            "--columns",
            help="Also the values of dropped columns. With TABLE.COLUMN,… behind it: "
            "of overwritten values only those of these columns.",
        ),
    ] = False,
    values: Annotated[list[str] | None, typer.Option("--values", hidden=True)] = None,
    fire_triggers: Annotated[
        bool,
        typer.Option(
            "--fire-triggers", help="Let the application's triggers see overwritten values return."
        ),
    ] = False,
    migrations: Annotated[
        Path | None,
        typer.Option(
            "--migrations",
            metavar="DIR",
            help="Write a safer migration in place of the harmful one.",
        ),
    ] = None,
    backup: Annotated[
        str | None,
        typer.Option(
            "--backup",
            metavar="FILE",
            help="Where the backup lies now, if it was moved; "
            "for --columns, --migrations and --rehearse.",
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
    """Options with their price, recovery.sql, undo.sql, and a rehearsal of every option.

    Nothing is run on live.
    """
    from forensics.case.facade import open_case

    with (
        speaking("recover", as_json, quiet, case) as voice,
        server_ahead(case, wanted=rehearse, sides=2) as ahead,
        open_case(case) as found,
    ):
        recovery = found.recovery(
            tables=table or (),
            include_unexplained=include_unexplained,
            columns=columns,
            values=_split(values or ()),
            fire_triggers=fire_triggers,
            where=where or (),
            rows=rows or (),
            into=into,
        )
        if rehearse:
            with _telling(voice) as tell:
                plan = recovery.rehearse(
                    out,
                    live=live_side(live),
                    migrations=migrations,
                    backup=backup,
                    skip=skip or (),
                    tell=tell,
                    ahead=ahead,
                )
        else:
            plan = recovery.write(out, live=live, migrations=migrations, backup=backup)
        voice.answer(plan.as_json(), lambda console: _show(console, plan, out))
        for problem in _problems(plan):
            voice.err.print(f"[bold red]{safe(problem)}[/]")
        for sentence in found.unknown:
            voice.err.print(f"[red]{safe(sentence)}[/]")
        known = all(option.freed is not None for option in plan.options)
        status = OK if plan.holds and known else FAILED
    raise typer.Exit(status)


def _split(words: Iterable[str]) -> list[str]:
    """Names with commas between them, one by one."""
    found: list[str] = []
    for word in words:
        found += [name.strip() for name in word.split(",") if name.strip()]
    return found


def _problems(plan: Plan) -> list[str]:
    found = list(plan.problems)
    if plan.problem:
        found.insert(0, plan.problem)
    return found


@contextmanager
def _telling(voice: Voice) -> Iterator[Tell]:
    """Lend what tells on stderr how far a rehearsal is.

    In one line that comes and goes, or in a line a step where nobody watches.
    """
    if voice.quiet:
        yield silent
    elif voice.err.is_terminal:
        with voice.err.status("") as status:

            def update(step: str, place: str = "") -> None:
                said = step
                if place:
                    said = f"{step}: {place}"
                status.update(safe(said))

            yield update
    else:
        said: set[str] = set()
        turn = Lock()

        def tell(step: str, place: str = "") -> None:
            with turn:
                if step not in said:
                    said.add(step)
                    voice.note(safe(step))

        yield tell


def _show(console: Console, plan: Plan, out: Path) -> None:
    from forensics.recovery import UNREHEARSED

    if plan.selected:
        show_selection(console, plan.selected)
    if plan.beside:
        show_laid(console, plan.beside)
    console.print(_options(plan))
    for option in plan.options:
        if option.proof:
            said = " ".join((*option.proof.checks, *option.proof.notes))
            word = "verified" if option.verified else "rehearsed"
            console.print(f"[bold]{option.name}[/], {word}: {safe(said)}")
            if option.proof.lacks:
                lacks = " ".join(option.proof.lacks)
                console.print(f"[bold]{option.name}[/] [yellow]is not verified: {safe(lacks)}[/]")
        for caveat in option.caveats:
            if caveat.startswith(UNREHEARSED):
                console.print(f"[bold]{option.name}[/]: [yellow]{safe(caveat)}[/]")
    for trial in plan.migrations:
        _show_trial(console, trial, out)
    console.print(
        f"\n[bold]{safe(plan.recommendation)}[/]\n"
        f"The scripts are in {safe(out)}: start with runbook.md."
    )


_HEADS = ("recovers", "of them freed", "destroys", "blocked")


def _options(plan: Plan) -> RichTable:
    from rich.table import Table as RichTable

    table = RichTable("option", *_HEADS, "verified", "seconds")
    for option in plan.options:
        table.add_row(*_cells(option))
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _cells(option: Option) -> list[str]:
    seconds = ""
    if option.seconds is not None:
        seconds = f"{option.seconds:.1f}"
    verified = "yes" if option.verified else "no"
    found = (option.recovers, option.freed, option.destroys, option.blocked)
    numbers = map(count, found)
    return [option.name, *numbers, verified, seconds]


def _show_trial(console: Console, trial: Trial, out: Path) -> None:
    console.print(f"Safer migration: {safe(out / 'migrations' / trial.name)}", end="")
    if trial.lost is None:
        console.print(", not tried (--rehearse tries it on a copy of the backup).")
        return
    console.print(
        f", tried on a copy of the backup: {trial.rows:,} rows, {trial.values:,} values "
        f"and {trial.links:,} links kept, {trial.lost:,} lost."
    )
