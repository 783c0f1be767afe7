"""`loss`: what the missing junction rows mean."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.table import Table as RichTable

from forensics.case import facade as cases
from forensics.cli.voice import FAILED, FOUND, OK, CaseFolder, Json, Quiet, app, safe, speaking
from forensics.model import TableName

_COUNTS = ("missing", "moved", "superseded", "lost", "restorable", "blocked", "conflicting")


@app.command("loss")
def loss_command(case: CaseFolder, as_json: Json = False, quiet: Quiet = False) -> None:
    """What the missing junction rows mean."""
    with speaking(as_json, quiet) as voice, cases.open_case(case) as found:
        loss = found.loss
        found.write_loss()
        for failed in loss["failed"]:
            voice.err.print(
                f"[red]{safe(failed['table'])} could not be classified: {safe(failed['reason'])}[/]"
            )
        voice.answer(loss, lambda console: _show(console, found, loss))
        status = (
            FAILED
            if loss["failed"] or not found.complete
            else OK
            if found.nothing_missing
            else FOUND
        )
    raise typer.Exit(status)


def _show(console: Console, found: cases.Case, loss: dict[str, Any]) -> None:
    table = RichTable("junction table", *_COUNTS, "affected", "emptied")
    for column in table.columns[1:-2]:
        column.justify = "right"
    shown = [j for j in loss["junctions"] if j["missing"]]
    for j in sorted(shown, key=lambda j: (-j["lost"], -j["missing"], j["table"])):
        hit = [
            ", ".join(f"{n:,} {safe(t)}" for t, n in j[what].items() if n) or "–"
            for what in ("affected", "emptied")
        ]
        table.add_row(
            safe(str(TableName(j["schema"], j["table"]))), *(f"{j[c]:,}" for c in _COUNTS), *hit
        )
    if shown:
        console.print(table)
    for j in shown:
        for sentence in found.junction(str(TableName(j["schema"], j["table"]))).sentences:
            console.print(f"{safe(j['table'])}: {safe(sentence)}")
    rest = len(loss["junctions"]) - len(shown)
    if rest:
        console.print(
            f"{rest} more junction {'table misses' if rest == 1 else 'tables miss'} no row."
        )
    window = loss["window"]
    if window["seconds"] is not None:
        console.print(f"\nIncident window: {window['backup_at']} to {window['incident_at']}.")
        for w in window["unobservable"]:
            if w["high"]:
                console.print(
                    f"{safe(w['table'])}: {w['low']:,} to {w['high']:,} rows, probably {w['likely']:,}, are in neither side."
                )
    totals = loss["totals"]
    console.print(
        f"\n[bold]Of {totals['missing']:,} missing links {totals['lost']:,} are lost: {totals['restorable']:,} can be restored, "
        f"{totals['blocked']:,} are blocked, {totals['conflicting']:,} conflict. {totals['moved'] + totals['superseded']:,} live on elsewhere.[/]"
    )
