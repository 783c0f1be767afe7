"""`demo`: all of it on the sample incident."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import manual
from forensics.cli.extras import needs
from forensics.cli.voice import FAILED, OK, Json, Quiet, app, safe, speaking
from forensics.documents import plain

if TYPE_CHECKING:
    from rich.console import Console

    from forensics.demo import Written

_OUT = Path("build") / "demo"


@app.command("demo", short_help="All of it on the sample incident.", epilog=manual.DEMO)
def demo_command(
    out: Annotated[Path, typer.Option("--out", help="The folder to write into.")] = _OUT,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Do all of it on the sample incident: build, compare, report, notebooks."""
    with speaking("demo", as_json, quiet) as voice:
        needs("notebooks")
        from forensics import demo
        from forensics.case.facade import open_case

        written = demo.run(out, lambda text: voice.note(safe(text)))
        with open_case(written.case) as case:
            verdict, totals = case.verdict, case.totals
        answer: dict[str, object] = {"verdict": verdict, "totals": totals}
        for name, value in plain(written).items():
            answer[name] = _path(value)
        voice.answer(answer, lambda console: _show(console, out, written, verdict))
    raise typer.Exit(OK if written.expected else FAILED)


def _show(console: Console, out: Path, written: Written, verdict: str) -> None:
    steps = [f"{step} {seconds} s" for step, seconds in written.seconds.items()]
    those = "those"
    if not written.expected:
        those = "[red]NOT those[/]"
    console.print(f"\n[bold]{safe(verdict)}[/]\n")
    console.print(f"  the report     {safe(written.report)}")
    console.print(
        f"  the notebooks  {safe(out / 'notebooks')}  (make lab opens them in JupyterLab)"
    )
    console.print(f"  the recovery   {safe(out / 'recovery')}  (runbook.md first)")
    console.print(f"  the case       {safe(written.case)}")
    console.print(f"\n{', '.join(steps)}. The totals are {those} of sample_data/expected.json.")


def _path(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list):
        return [str(item) for item in value]
    return value
