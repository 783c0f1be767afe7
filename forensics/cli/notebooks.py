"""`notebooks`: the notebooks, laid out to be run and edited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import manual
from forensics.cli.extras import needs
from forensics.cli.voice import OK, Json, Quiet, app, safe, speaking
from forensics.text import counted

if TYPE_CHECKING:
    from rich.console import Console


@app.command("notebooks", short_help="Lay the notebooks out.", epilog=manual.NOTEBOOKS)
def notebooks_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to lay them into.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace notebooks that are there.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Copy the eight notebooks into a folder of yours, to be run and edited there."""
    with speaking("notebooks", as_json, quiet) as voice:
        needs("notebooks")
        from forensics.notebooks import lay_out

        laid = lay_out(folder, force)
        names = [str(path) for path in laid]
        voice.answer({"notebooks": names}, lambda console: _show(console, folder, len(laid)))
    raise typer.Exit(OK)


def _show(console: Console, folder: Path, number: int) -> None:
    console.print(f"{counted(number, 'notebook')} in {safe(folder)}. Next:")
    console.print(f"  jupyter lab {safe(folder)}")
    console.print("They are about the sample incident until FORENSICS_BACKUP and LIVE_DSN are set.")
