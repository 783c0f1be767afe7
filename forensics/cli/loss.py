"""`loss`: what the missing junction rows mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from forensics.cli import manual
from forensics.cli.voice import CaseFolder, Json, Quiet, app, safe, speaking, status_of
from forensics.model import TableName
from forensics.text import counted, moment

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from forensics.case.facade import Case

_COUNTS = ("missing", "moved", "superseded", "lost", "restorable", "blocked", "conflicting")


@app.command("loss", epilog=manual.LOSS)
def loss_command(case: CaseFolder, as_json: Json = False, quiet: Quiet = False) -> None:
    """What the missing junction rows mean."""
    from forensics.case.bounds import answered
    from forensics.case.facade import open_case

    with speaking("loss", as_json, quiet, case) as voice, open_case(case) as found:
        loss = found.loss
        found.write_loss()
        for sentence in found.unknown:
            voice.err.print(f"[red]{safe(sentence)}[/]")
        voice.answer(loss, lambda console: _show(console, found, loss))
        status = status_of(complete=answered(found), found=not found.nothing_missing)
    raise typer.Exit(status)


def _show(console: Console, found: Case, loss: Mapping[str, Any]) -> None:
    from forensics.loss.published import is_known

    known = list(filter(is_known, loss["junctions"]))
    shown = [junction for junction in known if junction["missing"] or junction["overwritten"]]
    if shown:
        console.print(_table(sorted(shown, key=_worst_first)))
    for junction in shown:
        name = str(_name(junction))
        for sentence in found.junction(name).sentences:
            console.print(f"{safe(junction['table'])}: {safe(sentence)}")
    rest = len(known) - len(shown)
    if rest == 1:
        console.print("1 more junction table misses no row.")
    elif rest:
        console.print(f"{rest} more junction tables miss no row.")
    _show_references(console, loss.get("references") or ())
    _show_concentration(console, loss.get("concentrated") or ())
    _show_window(console, loss["window"])
    _show_totals(console, found, loss["totals"])


def _show_totals(console: Console, found: Case, totals: Mapping[str, Any]) -> None:
    if totals["missing"] is None:
        console.print("\n[bold]How many links are lost is not known.[/]")
        for sentence in found.unknown:
            console.print(safe(sentence))
        return
    console.print(
        f"\n[bold]Of {totals['missing']:,} missing links {totals['lost']:,} are lost: "
        f"{totals['restorable']:,} can be restored, {totals['blocked']:,} are blocked, "
        f"{totals['conflicting']:,} conflict. "
        f"{totals['moved'] + totals['superseded']:,} live on elsewhere.[/]"
    )
    if totals["overwritten"]:
        console.print(
            f"[bold]{totals['overwritten']:,} more links are overwritten: "
            "their rows stand under their keys and say others.[/]"
        )


def _show_references(console: Console, references: Sequence[Mapping[str, Any]]) -> None:
    for reference in references:
        console.print(safe(_reference(reference)))


def _show_concentration(console: Console, entries: Sequence[Mapping[str, Any]]) -> None:
    from forensics.loss.concentration import concentration_of

    for entry in entries:
        said = concentration_of(entry).replace("`", "")
        console.print(f"{safe(str(_name(entry)))}: {safe(said)}.")


def _reference(entry: Mapping[str, Any]) -> str:
    """What became of the references of one foreign key."""
    columns = ", ".join(entry["columns"])
    parent = TableName(entry["parent"]["schema"], entry["parent"]["table"])
    return (
        f"{_name(entry)}.{columns}: {counted(entry['rows'], 'reference')} to "
        f"{counted(entry['affected'], 'row')} of {parent} overwritten, "
        f"{entry['emptied']:,} of them emptied."
    )


def _table(junctions: list[Mapping[str, Any]]) -> RichTable:
    from rich.table import Table as RichTable

    table = RichTable("junction table", *_COUNTS, "affected", "emptied")
    for column in table.columns[1:-2]:
        column.justify = "right"
    for junction in junctions:
        counts = [f"{junction[count]:,}" for count in _COUNTS]
        hit = [_hit(junction[what]) for what in ("affected", "emptied")]
        table.add_row(safe(str(_name(junction))), *counts, *hit)
    return table


def _hit(parents: Mapping[str, int]) -> str:
    said = [f"{rows:,} {safe(name)}" for name, rows in parents.items() if rows]
    return ", ".join(said) or "–"


def _name(junction: Mapping[str, Any]) -> TableName:
    return TableName(junction["schema"], junction["table"])


def _worst_first(junction: Mapping[str, Any]) -> tuple[int, int, str]:
    return -junction["lost"], -junction["missing"], junction["table"]


def _show_window(console: Console, window: Mapping[str, Any]) -> None:
    if window["seconds"] is None:
        for name, why in (window.get("basis") or {}).items():
            if window[name] is None:
                console.print(f"\nThe time of the {name.removesuffix('_at')}: {safe(why)}.")
        return
    begins, ends = (
        moment(datetime.fromisoformat(window[name])) for name in ("backup_at", "incident_at")
    )
    console.print(f"\nIncident window: {begins} to {ends}.")
    for unseen in window["unobservable"] or ():
        if unseen["high"]:
            console.print(
                f"{safe(unseen['table'])}: {unseen['low']:,} to {unseen['high']:,} rows, "
                f"probably {unseen['likely']:,}, are in neither side."
            )
