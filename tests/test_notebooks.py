"""The notebooks: they run on the sample incident from the first cell to the last, and stay readable and stripped."""

from __future__ import annotations

import ast
import os
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
_ALLOWED = {"forensics", "os", "pathlib", "pandas", "matplotlib.pyplot"}
_LINES = 5

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_they_are_there() -> None:
    names = [p.stem[:2] for p in NOTEBOOKS]
    assert names == [f"{n:02}" for n in range(8)]


@each
def test_outputs_are_stripped(path: Path) -> None:
    nbformat.validate(read(path))
    for cell in code(path):
        assert cell.outputs == []
        assert cell.execution_count is None


@each
def test_cell_ids_are_words(path: Path) -> None:
    ids = [cell.id for cell in read(path).cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", i) for i in ids)


@each
def test_cells_are_short_and_define_nothing(path: Path) -> None:
    for cell in code(path):
        tree = ast.parse(cell.source)
        assert not any(isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.AsyncFunctionDef) for n in ast.walk(tree)), cell.id
        assert len([line for line in cell.source.splitlines() if line.strip()]) <= _LINES, cell.id


@each
def test_they_import_the_library_and_nothing_inside_it(path: Path) -> None:
    for cell in code(path):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                assert {a.name for a in node.names} <= _ALLOWED, cell.id
            elif isinstance(node, ast.ImportFrom):
                assert node.module in _ALLOWED - {"forensics"}, cell.id


@each
def test_every_cell_of_code_is_introduced(path: Path) -> None:
    cells = read(path).cells
    assert cells[0].cell_type == "markdown"
    for before, cell in pairwise(cells):
        assert cell.cell_type == "markdown" or before.cell_type == "markdown", cell.id


@each
def test_links_lead_to_notebooks_that_are_there(path: Path) -> None:
    for cell in read(path).cells:
        for target in re.findall(r"\]\(([^)]+\.ipynb)\)", cell.source):
            assert (path.parent / target).exists(), target


@each
def test_it_runs(path: Path, sample_case: Path, tmp_path: Path) -> None:
    case = shutil.copytree(sample_case, tmp_path / "case")
    root = str(Path(__file__).parent.parent)
    environment = {**os.environ, "FORENSICS_CASE": str(case), "PYTHONPATH": root}
    notebook = read(path)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute(env=environment)
    shown = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) >= 3
    for cell in shown:
        for output in cell.outputs:
            assert output.output_type != "stream", f"{cell.id} prints {output.get('text')}"
    text = "".join(str(o.get("data", {}).get("text/html", "")) for cell in shown for o in cell.outputs)
    assert path.stem.startswith(("01", "06")) or "hotel_images" in text
