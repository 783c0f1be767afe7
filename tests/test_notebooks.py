"""The notebooks.

They run on the sample incident from the first cell to the last, and stay readable and
stripped.
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import nbformat
import pytest
from nbclient import NotebookClient

from forensics import investigation, notebooks
from forensics.errors import LiveError, ReportError
from sample_data import build
from tests.conftest import Incident

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
        assert not any(
            isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.AsyncFunctionDef)
            for n in ast.walk(tree)
        ), cell.id
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


def executed(path: Path, case: Path, migrations: Path, folder: Path) -> list[Any]:
    """Run a notebook on a copy of a case; return its cells that show something."""
    environment = {
        **os.environ,
        "FORENSICS_CASE": str(shutil.copytree(case, folder / "copy")),
        "FORENSICS_MIGRATIONS": str(migrations),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    notebook = read(path)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute(env=environment)
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]


@each
def test_it_runs(path: Path, sample_case: Path, tmp_path: Path) -> None:
    shown = executed(path, sample_case, build.MIGRATIONS, tmp_path)
    assert len(shown) >= 3
    for cell in shown:
        for output in cell.outputs:
            assert output.output_type != "stream", f"{cell.id} prints {output.get('text')}"
    text = "".join(
        str(o.get("data", {}).get("text/html", "")) for cell in shown for o in cell.outputs
    )
    assert path.stem.startswith(("01", "06")) or "hotel_images" in text
    # NULLs of results_json were filled, and the notebooks that look at values say so.
    assert not path.stem.startswith(("05", "07")) or "nothing stood there before" in text


@pytest.mark.parametrize(
    "stem", ["02_comparison", "03_junction_loss", "04_cause", "05_recovery", "07_walkthrough"]
)
def test_it_runs_where_there_is_little_to_show(
    stem: str, incident: Incident, tmp_path: Path
) -> None:
    """No junction table, no migration that is known to have run, no row that is laid at one."""
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9)",
        "DELETE FROM t WHERE id < 3",
    )
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "V1__one.sql").write_text("SELECT 1;")
    with incident.compare("case") as case:
        folder = case.folder
    [path] = [p for p in NOTEBOOKS if p.stem == stem]
    assert executed(path, folder, tmp_path / "migrations", tmp_path)


def shown_by(cells: list[Any], name: str) -> str:
    """What the cell of that id shows."""
    [cell] = [cell for cell in cells if cell.id == name]
    return str(cell.outputs[0]["data"]["text/html"])


@pytest.mark.parametrize("stem", ["04_cause", "05_recovery", "07_walkthrough"])
def test_a_loss_in_overwritten_values_alone_is_told(
    stem: str, incident: Incident, tmp_path: Path
) -> None:
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    update = "UPDATE users SET plan = 'free'"
    (migrations / "V2__plans.sql").write_text(f"SELECT 1;\n{update};")
    incident.happens(
        "CREATE TABLE users (id int PRIMARY KEY, plan text, mail text);"
        "INSERT INTO users SELECT i, 'plan ' || i, 'm' || i FROM generate_series(1, 40) i;"
        "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version text,"
        " description text, type text, script text, checksum int, installed_by text,"
        " installed_on timestamp DEFAULT now(), execution_time int, success boolean);",
        f"{update}; INSERT INTO flyway_schema_history VALUES "
        "(2, '2', 'plans', 'SQL', 'V2__plans.sql', NULL, 'me', now(), 1, true)",
    )
    with incident.compare("case") as case:
        folder = case.folder
    [path] = [p for p in NOTEBOOKS if p.stem == stem]
    cells = executed(path, folder, migrations, tmp_path)
    if stem != "05_recovery":
        name = {"04_cause": "sql", "07_walkthrough": "worst"}[stem]
        assert update in shown_by(cells, name)
    if stem != "04_cause":
        assert "set to one value" in shown_by(cells, "overwritten")
    if stem == "05_recovery":
        assert "restore overwritten values" in shown_by(cells, "options")


def test_an_error_is_two_lines(tmp_path: Path) -> None:
    """What happened and what next; a page of another library's frames helps nobody."""
    cell = (
        "import forensics as fx\n"
        f"fx.compare({str(build.BACKUP)!r}, 'host=127.0.0.1 port=1 dbname=x', 'case')"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)})
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "error"
    assert len(output.traceback) == 2
    assert output.traceback[0].startswith("LiveError: ")


def test_a_page_of_one_links_to_pages_and_hides_what_is_hidden() -> None:
    hidden = nbformat.v4.new_code_cell("secret_helper = 1")
    hidden.metadata["jupyter"] = {"source_hidden": True}
    link = nbformat.v4.new_markdown_cell("Next: [04_cause](04_cause.ipynb).")
    notebook = nbformat.v4.new_notebook(cells=[link, hidden])
    state = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2}}
    notebook.metadata["widgets"] = state
    page = notebooks._page(notebooks._exporter(), notebook, "one")
    assert "unpkg" not in page  # where nbconvert has what draws widgets fetched from
    assert 'href="04_cause.html"' in page
    assert ".ipynb" not in page
    assert "secret_helper" not in page


def test_they_run_where_the_loss_is_not_known(
    incident: Incident, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What became of the links is said to be unknown, with the reason, and no cell fails."""

    def timed_out(*_: object, **__: object) -> NoReturn:
        raise LiveError("The clock stopped it.", sqlstate="57014")

    incident.happens(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); "
        "CREATE TABLE a_b (a_id int REFERENCES a, b_id int REFERENCES b, "
        "PRIMARY KEY (a_id, b_id)); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2); "
        "INSERT INTO a_b VALUES (1, 1), (1, 2)",
        "DELETE FROM a_b WHERE b_id = 2",
    )
    monkeypatch.setattr(investigation, "assess", timed_out)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "V1__one.sql").write_text("SELECT 1;")
    with incident.compare("case") as case:
        folder = case.folder
    for path in NOTEBOOKS:
        if path.stem in ("03_junction_loss", "07_walkthrough"):
            (tmp_path / path.stem).mkdir()
            shown = executed(path, folder, tmp_path / "migrations", tmp_path / path.stem)
            text = str([output for cell in shown for output in cell.outputs])
            assert "not classified, because: The clock stopped it." in text


LINKS = """
CREATE TABLE hosts (id int PRIMARY KEY, name text, note text);
CREATE TABLE pictures (id int PRIMARY KEY);
CREATE TABLE host_pictures (host_id int REFERENCES hosts, picture_id int REFERENCES pictures,
    PRIMARY KEY (host_id, picture_id));
INSERT INTO hosts SELECT i, 'host ' || i, 'n' || i FROM generate_series(1, 6) i;
INSERT INTO pictures SELECT generate_series(1, 4);
INSERT INTO host_pictures SELECT h, p FROM generate_series(1, 6) h, generate_series(1, 4) p;
"""
DROP = "DROP TABLE host_pictures; UPDATE hosts SET name = 'x' WHERE id < 4"


def all_of_them(case: Path, folder: Path, **environment: str) -> dict[str, str]:
    """Run every notebook's cells, in one kernel; return what each cell shows, as HTML or text."""
    cells = []
    for path in NOTEBOOKS:
        for cell in code(path):
            cell.id = f"{path.stem[:2]}-{cell.id}"
            cells.append(cell)
    notebook = nbformat.v4.new_notebook(cells=cells)
    there = {name: value for name, value in os.environ.items() if name != "LIVE_DSN"}
    here = {"FORENSICS_CASE": str(case), "PYTHONPATH": str(Path(__file__).parent.parent)}
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute(env={**there, **here, **environment})
    shown = {}
    for cell in notebook.cells:
        for output in cell.outputs:
            data = output.get("data", {})
            shown[cell.id] = str(data.get("text/html") or data.get("text/plain"))
    return shown


def test_all_of_them_run_on_a_case_alone(incident: Incident, tmp_path: Path) -> None:
    """Neither backup nor live nor migrations: what cannot be had is said, and no cell fails."""
    incident.happens(LINKS, DROP)
    with incident.compare("case") as case:
        folder = case.folder
    incident.backup.unlink()
    shown = all_of_them(folder, tmp_path)
    assert "The cause was not looked for yet: that needs the folder" in shown["04-cause"]
    assert "24 missing rows are unexplained" in shown["04-cause"]
    for name in ("05-scripts", "05-rehearsal"):
        assert "Not rehearsed, which needs live (LIVE_DSN is not set) and the backup" in shown[name]
    assert "backup.sql is not at hand" in shown["05-rehearsal"]
    assert "recovery.sql" in shown["05-scripts"]
    assert "host_pictures" in shown["00-look"]


def test_a_case_alone_keeps_what_was_found(incident: Incident, tmp_path: Path) -> None:
    """Cause and rehearsal are shown as they were, and no poorer scripts stand beside theirs."""
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "V2__drop.sql").write_text(DROP)
    incident.happens(LINKS, DROP)
    with incident.compare("case") as case:
        case.cause(migrations, ran=["V2*"])
        case.recovery.rehearse(tmp_path / "out", live=incident.live_dsn)
        folder = case.folder
    incident.backup.unlink()
    shown = all_of_them(folder, tmp_path, FORENSICS_MIGRATIONS=str(migrations))
    assert "accounts for 24 missing rows" in shown["04-cause"]
    assert "backup.sql is not at hand: the migrations were not replayed again" in shown["04-cause"]
    assert "for the rehearsal of" in shown["05-scripts"]
    assert not (folder / "recovery").exists()
    assert "undo" in shown["05-rehearsal"]


def written(folder: Path, name: str, source: str) -> Path:
    path = folder / name
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    return path


def test_a_kernel_is_as_new_for_the_next_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a name nor what pandas was told is left, and cells are counted from one."""
    monkeypatch.setattr(notebooks, "_TOGETHER", 1)
    first = "import pandas as pd; mine = 1; pd.set_option('display.max_rows', 7); import os"
    second = "import os, pandas as pd; 'mine' in globals(), pd.get_option('display.max_rows')"
    paths = [
        written(tmp_path, "00_one.ipynb", f"{first}; os.getpid()"),
        written(tmp_path, "01_two.ipynb", f"{second}, os.getpid()"),
    ]
    one, two = asyncio.run(notebooks._all_executed(paths, tmp_path, print))
    process = one.cells[0].outputs[0]["data"]["text/plain"]
    assert two.cells[0].outputs[0]["data"]["text/plain"] == f"(False, 60, {process})"
    assert two.cells[0].execution_count == 1


def test_a_cell_that_fails_is_told_and_no_kernel_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    paths = [written(tmp_path, f"0{n}_x.ipynb", "1 / 0") for n in range(3)]
    monkeypatch.setattr(notebooks, "_TOGETHER", 1)
    with pytest.raises(ReportError, match=r"00_x\.ipynb fails: ZeroDivisionError"):
        asyncio.run(notebooks._all_executed(paths, tmp_path, said.append))
    assert said == ["  00_x.ipynb"]


def test_reading_notebooks_loads_no_grammar() -> None:
    """Of IRIs, which takes a second: it can be loaded afterwards by whoever needs it."""
    script = (
        "import sys; from forensics import notebooks; notebooks._format(); "
        "assert 'rfc3987_syntax' not in sys.modules"
    )
    there = str(Path(__file__).parent.parent)
    subprocess.run([sys.executable, "-c", script], check=True, cwd=there)
