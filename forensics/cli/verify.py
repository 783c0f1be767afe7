"""`verify`: an evidence bundle, held against its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import manual
from forensics.cli.voice import Json, Quiet, app, safe, speaking, status_of
from forensics.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from forensics.report.verifying import Verified


@app.command("verify", short_help="Hold an evidence bundle to its manifest.", epilog=manual.VERIFY)
def verify_command(
    bundle: Annotated[
        Path,
        typer.Argument(metavar="FILE.zip", help="An evidence bundle of `report --out FILE.zip`."),
    ],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold an evidence bundle against its manifest: changed, lacking, additional files."""
    from forensics.report.verifying import verify

    with speaking("verify", as_json, quiet) as voice:
        found = verify(bundle)
        voice.answer(found.as_json(), lambda console: _show(console, found))
    raise typer.Exit(status_of(complete=True, found=not found.holds))


def _show(console: Console, found: Verified) -> None:
    if found.holds:
        files = counted(found.files or 0, "file")
        console.print(f"[green]It holds:[/] {files}, each as the manifest has it.")
    else:
        amiss = counted(len(found.amiss), "file")
        are = "is" if len(found.amiss) == 1 else "are"
        console.print(f"[bold red]It does not hold:[/] {amiss} {are} not as the manifest says.")
        for entry in found.amiss:
            console.print(f"  {entry.problem:<10}  {safe(entry.file)} {safe(entry.said)}")
    console.print(f"SHA-256 of the whole bundle: {found.sha256}")
