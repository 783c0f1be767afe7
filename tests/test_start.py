"""A start that takes no time: what is loaded, as the interpreter itself tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from forensics.scratch import Scratch
from sample_data import build

ROOT = Path(__file__).parent.parent
ENGINES = {
    "duckdb",
    "pyarrow",
    "pandas",
    "numpy",
    "sqlalchemy",
    "networkx",
    "matplotlib",
    "psycopg",
}


def loaded(*command: str | Path, status: int = 0) -> set[str]:
    """Run Python and return the packages that it loaded."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == status, done.stderr[-2000:]
    found = set()
    for line in done.stderr.splitlines():
        if line.startswith("import time:"):
            module = line.rpartition("|")[2].strip()
            found.add(module.partition(".")[0])
    assert "forensics" in found
    return found


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_no_engine(flag: str) -> None:
    assert not loaded("-m", "forensics", flag) & ENGINES


def test_importing_the_library_loads_no_engine() -> None:
    code = "import forensics as fx; fx.__all__; fx.ForensicsError"
    assert not loaded("-c", code) & (ENGINES | {"typer", "rich"})


def test_reading_a_case_needs_no_reader_of_a_side() -> None:
    code = "import forensics.case.facade, forensics.report.writing"
    assert not loaded("-c", code) & {*ENGINES, "postgast"}


@pytest.mark.parametrize(
    "command",
    [
        "inspect",
        "compare",
        "loss",
        "cause",
        "preflight",
        "recover",
        "report",
        "query",
        "export",
        "convert",
        "prove",
        "verify",
        "demo",
    ],
)
def test_the_help_of_a_command_loads_no_engine(command: str) -> None:
    assert not loaded("-m", "forensics", command, "--help") & ENGINES


def test_a_comparison_loads_what_it_uses(tmp_path: Path) -> None:
    backup, live = tmp_path / "backup.sql", tmp_path / "live.sql"
    text = (
        "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (id integer);\n"
        "COPY public.t (id) FROM stdin;\n1\n{}\\.\n\n--\n-- PostgreSQL database dump complete\n--\n"
    )
    backup.write_text(text.format("2\n"))
    live.write_text(text.format(""))
    found = loaded(
        "-m", "forensics", "compare", backup, live, "--case", tmp_path / "case", status=1
    )
    assert {"duckdb", "pyarrow"} <= found
    assert "pydantic" not in found  # which Typer has for values that are to be looked at
    assert not found & {"pandas", "networkx", "matplotlib", "xlsxwriter", "jinja2", "IPython"}


def test_a_comparison_with_a_database_loads_no_pandas(scratch: Scratch, tmp_path: Path) -> None:
    """On the sample, which has dropped, emptied and changed tables, instants and JSON."""
    dsn = build.build_live(scratch, "started")
    case = tmp_path / "case"
    found = loaded("-m", "forensics", "compare", build.BACKUP, dsn, "--case", case, status=1)
    assert "psycopg" in found
    assert not found & {"sqlalchemy", "pandas", "networkx", "matplotlib", "jinja2", "IPython"}


def test_a_question_loads_no_pandas() -> None:
    sql = "SELECT count(*), max(created_at) FROM hotels"
    found = loaded("-m", "forensics", "query", build.BACKUP, sql, "--format", "csv")
    assert {"duckdb", "pyarrow"} <= found
    assert not found & {"pandas", "networkx", "matplotlib", "jinja2", "IPython"}


def test_a_file_is_read_without_the_driver_of_databases() -> None:
    questions = ("inspect", build.BACKUP), ("query", build.BACKUP, "SELECT count(*) FROM hotels")
    for question in questions:
        assert "psycopg" not in loaded("-m", "forensics", *question)


def test_a_name_that_is_a_room_too_is_the_function() -> None:
    """`forensics.compare` is what people call, whatever was imported before."""
    code = (
        "import forensics.compare.tables, forensics as fx\n"
        "assert fx.compare.__module__ == 'forensics.investigation', fx.compare\n"
        "from forensics import compare\n"
        "assert callable(compare)\n"
    )
    loaded("-c", code)
