"""What `recover --where` names, and what `recover --into` lays beside the tables, for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from forensics.cli.voice import safe
from forensics.text import count, counted, listed

if TYPE_CHECKING:
    from rich.console import Console

    from forensics.recovery.beside.planning import Beside
    from forensics.recovery.selected import Selected

_SHOWN = 20  # lines of what stays behind


def show_selection(console: Console, selected: Selected) -> None:
    """Print which tables rows come back to, how many, and what stays behind and why."""
    from rich.table import Table as RichTable

    said = listed((*selected.where, *selected.rows))
    console.print(f"[bold]What belongs to {safe(said)}[/]")
    table = RichTable("table", "rows", "needed by", "told by")
    table.columns[1].justify = "right"
    for share in selected.shares:
        needed = ""
        if share.needed:
            needed = f"{share.needed:,}: {listed(share.needed_by)}"
        told = ""
        if share.undeclared:
            told = f"names and values: {listed(share.undeclared)}"
        table.add_row(safe(str(share.name)), count(share.rows), safe(needed), safe(told))
    console.print(table)
    if selected.asked_for and selected.shares:
        console.print("No statement is known to have taken these rows: they were named.")
    stays: Counter[tuple[str, str, str]] = Counter()
    for stay in selected.left:
        thing = "value" if stay.column else "row"
        stays[str(stay.name), thing, stay.reason] += stay.rows or 0
    if stays:
        console.print("What stays behind:")
    for (name, thing, reason), number in stays.most_common(_SHOWN):
        console.print(f"  {safe(name)}: {counted(number, thing)}: {safe(reason)}")
    if len(stays) > _SHOWN:
        console.print(f"  and {len(stays) - _SHOWN} more, which plan.json lists")


def show_laid(console: Console, laid: Beside) -> None:
    """Print which tables of the schema hold how many lost rows."""
    from rich.table import Table as RichTable

    table = RichTable("laid into", "rows", "lost rows of", "as text")
    table.columns[1].justify = "right"
    for one in laid.tables:
        names = (safe(str(one.name)), safe(str(one.target.name)), safe(listed(one.as_text)))
        table.add_row(names[0], count(one.rows), *names[1:])
    console.print(table)
