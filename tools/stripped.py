"""Refuse notebooks with outputs: JupyterLab saves in them what a cell showed, rows of people too.

python -m tools.stripped [NOTEBOOK…]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tools.house import ROOT

NOTEBOOKS = ROOT / "notebooks"
_MEND = "jupyter nbconvert --clear-output --inplace"


def with_outputs(path: Path) -> list[str]:
    """The cells of a notebook that hold an output or the number of a run, by their ids."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = []
    for cell in cells:
        if cell.get("outputs") or cell.get("execution_count"):
            found.append(cell.get("id", "?"))
    return found


def main(names: list[str]) -> int:
    """Print which notebooks hold outputs, and how to mend them; return 1 where one does."""
    paths = [Path(name) for name in names] or sorted(NOTEBOOKS.glob("*.ipynb"))
    refused = []
    for path in paths:
        cells = with_outputs(path)
        if cells:
            refused.append(str(path))
            print(f"{path} holds outputs, in cells {', '.join(cells)}.")
    if refused:
        print(f"Clear them: {_MEND} {' '.join(refused)}")
    return int(bool(refused))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
