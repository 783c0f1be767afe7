"""`convert`: a backup as a plain dump that psql and older servers take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import manual
from forensics.cli.given import Database
from forensics.cli.query import hearing
from forensics.cli.voice import FAILED, OK, Json, MaxRow, Quiet, Voice, app, safe, speaking
from forensics.model import MAX_ROW
from forensics.text import document

if TYPE_CHECKING:
    from forensics.export.converting import Converted

_SAID = 50  # sentences; --json has all of them


@app.command("convert", epilog=manual.CONVERT)
def convert_command(
    backup: Annotated[str, typer.Argument(metavar="BACKUP", help="A dump of any form.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The plain dump: FILE.sql.")],
    version: Annotated[
        str | None,
        typer.Option(
            "--server-version", metavar="N", help="Of the server that is to take it: 14, or 9.6."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take the place of a file that is there.")
    ] = False,
    max_row: MaxRow = MAX_ROW,
    database: Database = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """A plain dump that psql and older servers take, of any dump."""
    with speaking("convert", as_json, quiet) as voice:
        from forensics.evidence import open_source
        from forensics.export.converting import convert

        with (
            open_source(backup, database=database, max_row=max_row) as source,
            hearing(voice) as heard,
        ):
            done = convert(source, to, server_version=version, force=force, heard=heard)
        _say(voice, done)
    raise typer.Exit(OK if done.complete else FAILED)


def _say(voice: Voice, done: Converted) -> None:
    for sentence in done.notes[:_SAID]:
        voice.note(f"[yellow]{safe(sentence)}[/]")
    if len(done.notes) > _SAID:
        voice.note(f"and {len(done.notes) - _SAID:,} more lines like these; --json has them.")
    for sentence in (*done.refused, *done.damage):
        voice.err.print(f"[bold red]{safe(sentence)}[/]")
    if voice.as_json:
        said = {
            "file": str(done.file),
            "rows": done.rows,
            "complete": done.complete,
            "damage": list(done.damage),
            "refused": list(done.refused),
            "notes": list(done.notes),
        }
        voice.write(document(said))
    else:
        voice.note(f"Written to {safe(done.file)}.")
