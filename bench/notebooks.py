"""The eight notebooks of `make demo`, beside eight kernels that import the kit and stop.

    python -m bench.notebooks [--case build/demo/case]

The kernels run two at a time, as the notebooks do. Without a case the sample's is made first.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

from bench.sheet import Sheet, parser, timed
from forensics.notebooks import execute_notebooks
from forensics.sample import SHIPPED, investigate
from forensics.store import exists

_REACH = 1.5
_NUMBER, _TOGETHER = 8, 2
_PEER = "eight kernels that import the kit and stop"


def kernels() -> None:
    """Start eight kernels, two at a time; each imports the kit and stops."""
    with ThreadPoolExecutor(_TOGETHER) as pool:
        for ended in [pool.submit(_kernel) for _ in range(_NUMBER)]:
            ended.result()


def _kernel() -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(_IMPORTS)])
    quiet = ["--IPKernelApp.log_level=40"]
    NotebookClient(notebook, kernel_name="python3", extra_arguments=quiet).execute()


# With what it shows tables with, as the first cell of each notebook has it loaded.
_IMPORTS = "import forensics as fx; fx.open_case; import pandas"


def main() -> None:
    """Measure in turns and print a table."""
    asked = parser(__doc__)
    asked.add_argument("--case", type=Path, default=Path("build") / "demo" / "case")
    asked.add_argument("--runs", type=int, default=3)
    options = asked.parse_args()
    # For the kernels: where the kit lies, and that it is compiled, as where it is installed.
    there = [str(SHIPPED), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ.update(PYTHONPATH=os.pathsep.join(there), PYTHONDONTWRITEBYTECODE="")
    with tempfile.TemporaryDirectory(prefix="forensics-bench-") as name:
        case = options.case
        if not exists(case):
            case = Path(name) / "case"
            investigate(case, _say, {}).close()
        peers, ours = [], []
        import_module("nbclient")  # for both: it is no kernel's work
        for _ in range(options.runs):
            peers.append(timed(kernels))
            ours.append(timed(lambda: execute_notebooks(Path(name) / "pages", case, _say)))
    sheet = Sheet("notebooks", f"the notebooks, {options.runs} runs, medians")
    sheet.peer(_PEER, peers)
    sheet.add("eight notebooks, run and written as HTML", ours, _PEER, peers, reach=_REACH)
    sheet.close()


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
