"""`report`: tell it, as HTML, workbook, Markdown, JSON or all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import manual
from forensics.cli.extras import needs
from forensics.cli.voice import CaseFolder, Json, Quiet, app, safe, speaking

if TYPE_CHECKING:
    from rich.console import Console

_COLUMN = "TABLE.COLUMN"


@app.command("report", short_help="Write the report of a case, or slides.", epilog=manual.REPORT)
def report_command(
    case: CaseFolder,
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="The file to write: .html, .xlsx, .md, .json or .zip by suffix."
        ),
    ],
    unmasked: Annotated[
        bool,
        typer.Option(
            "--unmasked", help="Show values of rows. The file is then only for its owner to read."
        ),
    ] = False,
    show: Annotated[
        list[str] | None,
        typer.Option(
            "--show", metavar=_COLUMN, help="Show this column although values are masked."
        ),
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option("--mask", metavar=_COLUMN, help="Mask this column whatever else is shown."),
    ] = None,
    section: Annotated[
        list[str] | None,
        typer.Option(
            "--section", metavar="NAME", help="Only this section (.md, .html): actions, impact, …"
        ),
    ] = None,
    slides: Annotated[
        bool,
        typer.Option("--slides", help="Slides for a walkthrough of 20 minutes, one .html file."),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the report of a case: .html .xlsx .md .json .zip by suffix."""
    from forensics.case.facade import open_case

    with speaking("report", as_json, quiet, case) as voice, open_case(case) as found:
        needs("report")
        written = found.report(
            out,
            mask=not unmasked,
            show=show or (),
            hide=mask or (),
            sections=section or (),
            slides=slides,
        )
        if unmasked:
            voice.note(
                "[yellow]Values of rows are not masked in it. Treat it like the database itself.[/]"
            )
        answer = {
            "report": str(written),
            "bytes": written.stat().st_size,
            "masked": not unmasked,
            "shown": show or [],
            "verdict": found.verdict,
        }

        def show_it(console: Console) -> None:
            console.print(f"{safe(found.verdict)}\nThe report is in {safe(written)}.")

        voice.answer(answer, show_it)
