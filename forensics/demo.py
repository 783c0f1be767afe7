"""The sample incident, from its backup to the report; and the case that notebooks open.

The incident lies in `sample_data/` beside this package, so this works from a clone.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.case.facade import Case, compare, open_case
from forensics.errors import ReportError, UsageError
from forensics.scratch import Scratch
from forensics.store import exists

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
DEMO = Path("build") / "demo"

_PAGE = "body{max-width:64rem;margin:0 auto;padding:0 1rem}"  # lines of a length that people read

Say = Callable[[str], None]


@dataclass(frozen=True)
class Written:
    """What a demonstration wrote.

    Attributes:
        case: the case's folder.
        report: the report, one HTML file.
        notebooks: the executed notebooks as HTML.
        seconds: by step, how long it took.
        expected: whether the totals are those of `sample_data/expected.json`.
    """

    case: Path
    report: Path
    notebooks: tuple[Path, ...]
    seconds: dict[str, float]
    expected: bool


def sample() -> Any:
    """Return the module that builds the sample incident.

    Raises:
        UsageError: this is no clone, so it is not there.
    """
    if not (ROOT / "sample_data" / "build.py").exists():
        raise UsageError(
            "The sample incident is not part of the installed package.",
            "Clone the repository and run it from there.",
        )
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from sample_data import build

    return build


@contextmanager
def incident(say: Say, seconds: dict[str, float]) -> Iterator[tuple[Any, str]]:
    """Lend the sample's builder and the connection string of its live database, on a throw-away PostgreSQL.

    Args:
        say: is told each step.
        seconds: is given how long building took.
    """
    build = sample()
    with Scratch() as server:
        say("building the live database on a throw-away PostgreSQL")
        with _timed(seconds, "build"):
            build.build_live(server, "travel")
        yield build, server.dsn("travel")


def investigate(folder: Path, say: Say, seconds: dict[str, float]) -> Case:
    """Take the sample incident through every stage, into a case.

    Args:
        folder: where the case goes; one that is there is replaced.
        say: is told each step.
        seconds: is given how long each step took.
    """
    with incident(say, seconds) as (build, dsn):
        say("comparing the backup with it, table by table")
        times = {"backup_at": build.BACKUP_AT, "incident_at": build.INCIDENT_AT}
        with _timed(seconds, "compare"):
            case = compare(build.BACKUP, dsn, folder, times=times, force=True)
        say("replaying the migrations, statement by statement")
        with _timed(seconds, "cause"):
            case.cause(build.MIGRATIONS)
        say("writing the recovery, and rehearsing it")
        with _timed(seconds, "recovery"):
            case.recovery.rehearse(
                live=dsn, out=folder.parent / "recovery", migrations=build.MIGRATIONS
            )
        return case


def run(out: Path, say: Say) -> Written:
    """Do the main job on the sample incident and write everything into a folder.

    Raises:
        ForensicsError: a step failed.
    """
    seconds: dict[str, float] = {}
    out.mkdir(parents=True, exist_ok=True)
    with investigate(out / "case", say, seconds) as case:
        wanted = json.loads((ROOT / "sample_data" / "expected.json").read_text(encoding="utf-8"))[
            "totals"
        ]
        as_expected = {k: case.totals[k] for k in wanted} == wanted
        say("writing the report")
        with _timed(seconds, "report"):
            report = case.report(out / "report.html")
    say("running the notebooks")
    with _timed(seconds, "notebooks"):
        notebooks = execute_notebooks(out / "notebooks", out / "case", say)
    return Written(out / "case", report, notebooks, seconds, as_expected)


class _timed:  # noqa: N801  (reads as a statement)
    def __init__(self, seconds: dict[str, float], step: str) -> None:
        self._seconds, self._step = seconds, step

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._step] = round(time.monotonic() - self._started, 1)


def execute_notebooks(out: Path, case: Path, say: Say) -> tuple[Path, ...]:
    """Execute every notebook on a case and write it as HTML.

    Raises:
        ReportError: a notebook's cell failed.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbconvert import HTMLExporter

    out.mkdir(parents=True, exist_ok=True)
    exporter = HTMLExporter(
        exclude_input_prompt=True, exclude_output_prompt=True, mathjax_url="", require_js_url=""
    )
    written = []
    # Kernels are children: they learn the case from the environment, as people's own notebooks do.
    environment = {**os.environ, "FORENSICS_CASE": str(case.resolve()), "PYTHONPATH": str(ROOT)}
    for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")):
        say(f"  {path.name}")
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            resources={"metadata": {"path": str(NOTEBOOKS)}},
            extra_arguments=[
                "--IPKernelApp.log_level=40"
            ],  # its warning about loopback is not for the reader of a demo
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            words = [
                line
                for line in re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()
                if line.strip()
            ]
            raise ReportError(
                f"Notebook {path.name} fails: {words[-1] if words else 'it says not why'}.",
                "Open it in JupyterLab: make lab",
            ) from error
        for output in (o for cell in notebook.cells for o in cell.get("outputs", ())):
            # Widgets need a kernel: without one their static form, beside them in the output, is what shows.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
        body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": path.stem}})
        target = out / f"{path.stem}.html"
        body = body.replace('<script src=""></script>', "").replace(
            "</head>", f"<style>{_PAGE}</style></head>", 1
        )
        target.write_text(body, encoding="utf-8")
        written.append(target)
    return tuple(written)


def notebook_case() -> Case:
    """Open the case that a notebook is about.

    `FORENSICS_CASE` names it. Where that folder holds none yet, `FORENSICS_BACKUP` is compared with `LIVE_DSN` into it.
    Where neither is set, it is the sample incident, built under `build/demo` on the first use (some seconds).

    Raises:
        ForensicsError: the backup or the database cannot be read, or only one of them is named.
    """
    named, backup, live = (
        os.environ.get(v) for v in ("FORENSICS_CASE", "FORENSICS_BACKUP", "LIVE_DSN")
    )
    folder = (
        Path(named)
        if named
        else ROOT / DEMO / "case"
        if not backup
        else Path("cases") / Path(backup).name
    )
    if exists(folder):
        return open_case(folder)
    if backup and live:
        return compare(backup, live, folder)
    if backup:
        raise UsageError(
            "FORENSICS_BACKUP is set and LIVE_DSN is not.",
            "Set LIVE_DSN to the live database's connection string.",
        )
    if named:
        raise UsageError(
            f"There is no case in {folder}.",
            "Set FORENSICS_BACKUP and LIVE_DSN to make it, or unset FORENSICS_CASE for the sample.",
        )
    return investigate(folder, lambda text: print(text, file=sys.stderr), {})
