"""`demo`: all of it on the sample incident."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from forensics import demo
from forensics.case.facade import open_case
from forensics.cli.voice import FAILED, OK, Json, Quiet, app, safe, speaking
from forensics.model import plain


@app.command("demo")
def demo_command(
    out: Annotated[Path, typer.Option("--out", help="The folder to write into.")] = demo.DEMO,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Do all of it on the sample incident: build, compare, report, notebooks."""
    with speaking(as_json, quiet) as voice:
        written = demo.run(out, lambda text: voice.note(safe(text)))
        with open_case(written.case) as case:
            verdict, totals = case.verdict, case.totals

        def show(console: Console) -> None:
            console.print(f"\n[bold]{safe(verdict)}[/]\n")
            console.print(f"  the report     {safe(written.report)}")
            console.print(
                f"  the notebooks  {safe(out / 'notebooks')}  (make lab opens them in JupyterLab)"
            )
            console.print(f"  the recovery   {safe(out / 'recovery')}  (runbook.md first)")
            console.print(f"  the case       {safe(written.case)}")
            steps = ", ".join(f"{step} {seconds} s" for step, seconds in written.seconds.items())
            console.print(
                f"\n{steps}. The totals are {'those' if written.expected else '[red]NOT those[/]'} of sample_data/expected.json."
            )

        voice.answer(
            {
                "verdict": verdict,
                "totals": totals,
                **{k: _path(v) for k, v in plain(written).items()},
            },
            show,
        )
    raise typer.Exit(OK if written.expected else FAILED)


def _path(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    return [str(v) for v in value] if isinstance(value, list) else value
