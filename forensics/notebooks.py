"""Notebooks: the case that one is about, and all of them executed on a case.

They lie in `notebooks/` beside this package in a clone, and within it where it was installed.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from forensics.case.cause import Cause, cause_as_known
from forensics.case.facade import Case
from forensics.case.interactive import interactive_tables
from forensics.case.waiting import waiting
from forensics.errors import ReportError, UsageError
from forensics.investigation import compare, moved_on
from forensics.sample import DEMO, HOME, SHIPPED, Say, investigate
from forensics.store import exists

NOTEBOOKS = SHIPPED / "notebooks"
CASES = HOME / "build" / "cases"  # not tracked: a case holds rows of customers
SAMPLE = HOME / DEMO / "case"

_NUMBERED = "[0-9][0-9]_*.ipynb"
_SECONDS = 300  # for a cell
_TOGETHER = 2  # notebooks at a time
# Lines of a length that people read, links that are told by more than their colour, and code in
# colours that can be read on its ground.
_PAGE = (
    "body{max-width:64rem;margin:0 auto;padding:0 1rem}"
    ".jp-RenderedMarkdown a{text-decoration:underline!important}"
    ".highlight .o,.highlight .ow{color:#6a00b0!important}"
    ".highlight .mi,.highlight .mf{color:#045d04!important}"
    ".highlight .s1,.highlight .s2,.highlight .sa{color:#8f1515!important}"
)
_QUIET = [
    "--IPKernelApp.log_level=40",  # its warning about loopback is not for the reader of a demo
    "--HistoryManager.hist_file=:memory:",
]
_ANEW = """
import sys
if "ipywidgets" in sys.modules:
    sys.modules["ipywidgets"].Widget.close_all()
if "pandas" in sys.modules:
    sys.modules["pandas"].reset_option("^display")
get_ipython().reset(new_session=True)
"""
_GRAMMAR = "rfc3987_syntax"
_WIDGET = "application/vnd.jupyter.widget-view+json"
_LINK = re.compile(r"\]\((\w+)\.ipynb\)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class NotebookCase(Case):
    """A case whose notebook runs to its end: what cannot be had is said where it would stand."""

    def cause(
        self, migrations: str | Path | None = None, *, ran: Sequence[str] | None = None
    ) -> Cause:
        """As `Case.cause`; where nobody looked for the cause, it says so and what that needs."""
        return cause_as_known(self, migrations, ran=None if ran is None else tuple(ran))


def notebook_case() -> NotebookCase:
    """Open the case that a notebook is about, and have its tables sorted, searched and paged.

    `FORENSICS_CASE` names it. Where that folder holds none yet, `FORENSICS_BACKUP` is compared with
    `LIVE_DSN` into it. Where only these two are set, the case is made under `build/cases`. Where
    none of the three is set, it is the sample incident, built on the first use (some seconds).

    Raises:
        UsageError: only one of backup and live is named, or the case that is named is not there.
        ForensicsError: the backup or the database cannot be read.
    """
    interactive_tables()
    named = os.environ.get("FORENSICS_CASE")
    backup = os.environ.get("FORENSICS_BACKUP")
    live = os.environ.get("LIVE_DSN")
    if named and exists(Path(named)):
        return _reopened(Path(named), live)
    if backup and not live:
        raise UsageError(
            "FORENSICS_BACKUP is set and LIVE_DSN is not.",
            "Set LIVE_DSN to the live database's connection string.",
        )
    if backup and live:
        return _own_case(Path(named) if named else CASES / Path(backup).name, backup, live)
    if live:
        raise UsageError(
            "LIVE_DSN is set and neither FORENSICS_CASE nor FORENSICS_BACKUP is: "
            "which incident is this about?",
            "Set FORENSICS_BACKUP to the backup from before, or FORENSICS_CASE to a case; "
            "unset LIVE_DSN to look at the sample incident.",
        )
    if named:
        raise UsageError(
            f"There is no case in {named}.",
            "Set FORENSICS_BACKUP and LIVE_DSN to make it, or unset FORENSICS_CASE for the sample.",
        )
    if exists(SAMPLE):
        return NotebookCase(SAMPLE)
    with waiting() as cell:
        investigate(SAMPLE, cell or _print, {}).close()
    return NotebookCase(SAMPLE)


def lay_out(folder: Path, force: bool = False) -> tuple[Path, ...]:
    """Copy the notebooks into a folder, to be run and edited there.

    Args:
        folder: it is made where there is none.
        force: replace notebooks of these names.

    Raises:
        UsageError: a notebook of this name is there, or the folder cannot be written.
    """
    sources = sorted(NOTEBOOKS.glob(_NUMBERED))
    targets = [folder / path.name for path in sources]
    standing = [path.name for path in targets if path.exists()]
    if standing and not force:
        raise UsageError(
            f"{folder} holds {', '.join(standing)} already.",
            "Name another folder, or give --force to replace them.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source, target in zip(sources, targets, strict=True):
            target.write_bytes(source.read_bytes())
    except OSError as error:
        raise UsageError(
            f"The notebooks cannot be written into {folder}: {error.strerror}.",
            "Name another folder.",
        ) from error
    return tuple(targets)


def _print(text: str) -> None:
    print(text, file=sys.stderr)


def _own_case(folder: Path, backup: str, live: str) -> NotebookCase:
    if exists(folder):
        return _reopened(folder, live)
    compare(backup, live, folder).close()
    return NotebookCase(folder)


def _reopened(folder: Path, live: str | None) -> NotebookCase:
    """Open a case that was made before; where live can be reached, it says what live did since."""
    case = NotebookCase(folder)
    if live:
        case.standing = moved_on(case, live)
    return case


def execute_notebooks(out: Path, case: Path, say: Say) -> tuple[Path, ...]:
    """Execute every notebook on a case and write it as HTML.

    Args:
        out: the folder to write into.
        case: the case's folder.
        say: is told each notebook.

    Raises:
        ReportError: a notebook's cell failed.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = sorted(NOTEBOOKS.glob(_NUMBERED))
    executed, exporter = asyncio.run(_executed_meanwhile(paths, case, say))
    written = []
    for path, notebook in zip(paths, executed, strict=True):
        target = out / f"{path.stem}.html"
        target.write_text(_page(exporter, notebook, path.stem), encoding="utf-8")
        written.append(target)
    return tuple(written)


async def _executed_meanwhile(paths: Sequence[Path], case: Path, say: Say) -> tuple[list[Any], Any]:
    """Run notebooks; what makes pages of them is loaded while their kernels work."""
    made = asyncio.create_task(asyncio.to_thread(_exporter))
    executed = await _all_executed(paths, case, say)
    return executed, await made


async def _all_executed(paths: Sequence[Path], case: Path, say: Say) -> list[Any]:
    """Run notebooks, two at a time, in as many kernels.

    Starting a kernel and what every notebook imports would be most of what one takes, so that
    the kernels go on; names and what pandas was told of displaying do not.
    """
    turns = iter(paths)
    executed: dict[Path, Any] = {}
    failures: list[Exception] = []

    async def in_turn() -> None:
        async with _kernel(case) as kernel:
            for path in turns:
                if failures:
                    return
                say(f"  {path.name}")
                executed[path] = await _executed(path, kernel)

    async def patiently() -> None:
        try:
            await in_turn()
        except Exception as error:  # the one beside it ends by itself, and its kernel with it
            failures.append(error)

    await asyncio.gather(*(patiently() for _ in paths[:_TOGETHER]))
    if failures:
        raise failures[0]
    return [executed[path] for path in paths]


@asynccontextmanager
async def _kernel(case: Path) -> AsyncIterator[Any]:
    """A kernel that runs notebooks on a case, for as long as they take."""
    from jupyter_client.manager import AsyncKernelManager

    kernel = AsyncKernelManager(kernel_name="python3")
    # Kernels are children: they learn the case from the environment, as people's own do.
    environment = {**os.environ, "FORENSICS_CASE": str(case.resolve())}
    await kernel.start_kernel(extra_arguments=_QUIET, env=environment, cwd=str(NOTEBOOKS))
    try:
        yield kernel
    finally:
        await kernel.shutdown_kernel()


async def _executed(path: Path, kernel: Any) -> Any:
    """Run a notebook's cells in a kernel, and leave that as if it were new."""
    nbformat = _format()
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=_SECONDS,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    try:
        await client.async_execute()
        await client.kc.execute(_ANEW, silent=True, reply=True, timeout=_SECONDS)
    except CellExecutionError as error:
        raise ReportError(
            f"Notebook {path.name} fails: {_last_words(error)}.", "Open it in JupyterLab: make lab"
        ) from error
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
    return notebook


def _format() -> Any:
    """The package nbformat, without the grammar of IRIs, which takes a second to be loaded.

    What checks notebooks would have it where it is installed, and no notebook has one.
    """
    sys.modules.setdefault(_GRAMMAR, cast(ModuleType, None))
    try:
        import nbformat
    finally:
        if sys.modules.get(_GRAMMAR, "") is None:
            sys.modules.pop(_GRAMMAR, None)
    return nbformat


def _last_words(error: Exception) -> str:
    lines = _COLOURS.sub("", str(error)).splitlines()
    said = [line for line in lines if line.strip()]
    if not said:
        return "it says not why"
    return said[-1]


def _exporter() -> Any:
    """What makes pages of notebooks; it is slow to make itself."""
    _format()
    from nbconvert import HTMLExporter

    return HTMLExporter(
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        mathjax_url="",
        require_js_url="",
    )


def _page(exporter: Any, notebook: Any, name: str) -> str:
    """Return an executed notebook as a page of HTML that loads nothing."""
    notebook.metadata.pop("widgets", None)  # with them the page would ask a CDN for what draws them
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(r"](\1.html)", cell.source)
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["transient"] = {"remove_source": True}
        for output in cell.get("outputs", ()):
            # Widgets need a kernel: without one their static form, beside them, is what shows.
            output.get("data", {}).pop(_WIDGET, None)
    body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": name}})
    body = body.replace('<script src=""></script>', "")
    return str(body.replace("</head>", f"<style>{_PAGE}</style></head>", 1))
