"""What a command is handed: what its flags promise, whether Typer looked at it or not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*words: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forensics", *map(str, words)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=env)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare", "x", "y", "--case", "c", "--jobs", "0"), "--jobs"),
        (("compare", "x", "y", "--case", "c", "--jobs", "many"), "integer"),
        (("compare", "x", "y", "--case", "c", "--overwritten-share", "2"), "overwritten-share"),
        (("compare", "x", "y", "--case"), "--case"),
        (("compare",), "BACKUP"),
        (("compare", "x", "y", "--case", "c", "--table"), "--table"),
    ],
)
def test_what_is_no_value_is_refused(words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_configuration_sets_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "forensics.toml").write_text("jobs = 0\n")
    done = run("compare", "x", "y", "--case", "c", folder=tmp_path)
    assert done.returncode == 2
    assert "jobs" in done.stderr


def test_flags_that_are_repeated_and_paths_arrive(tmp_path: Path) -> None:
    dump = tmp_path / "ü ber.sql"
    head = "--\n-- PostgreSQL database dump\n--\n\n"
    made = ""
    for name in ("a", "b", "c"):
        made += f"CREATE TABLE public.{name} (id integer);\n"
        made += f"COPY public.{name} (id) FROM stdin;\n1\n\\.\n\n"
    dump.write_text(f"{head}{made}--\n-- PostgreSQL database dump complete\n--\n")
    case = tmp_path / "der Fall"
    chosen = ("--table", "a", "--table", "c", "--jobs", "2", "--json")
    done = run("compare", dump, dump, "--case", case, *chosen)
    assert done.returncode == 0, done.stderr
    assert '"table": "c"' in done.stdout and '"table": "b"' not in done.stdout
    assert (case / "case.duckdb").exists()
