"""What nobody foresaw leaves a file that can be sent, and repeats no value anywhere."""

from __future__ import annotations

import json
import stat
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from typer.testing import CliRunner

from forensics import cli, investigation
from forensics.case import facade
from forensics.cli.voice import app
from tests.conftest import Incident

SECRET = "maria.delgado@example.org"
BEFORE = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9)"


class _Refusal(psycopg.errors.DataException):
    sqlstate = "22023"


def crashing(*_: object, **__: object) -> NoReturn:
    held = SECRET
    try:
        raise _Refusal(f"invalid value: {held}")
    except _Refusal as error:
        raise LookupError(f"no {SECRET} among\nthe rows") from error


def run(*arguments: object) -> tuple[int, str]:
    cli.register()
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def crashes(folder: Path) -> list[Path]:
    return sorted(folder.glob("crash-*.json"))


def is_sendable(path: Path) -> dict[str, Any]:
    """Whether the file of `crashing` says what it is to say, and nothing besides."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert SECRET not in text
    assert "raise" not in text
    said: dict[str, Any] = json.loads(text)
    latest, first = said["errors"]
    assert (latest["class"], latest["sqlstate"]) == ("builtins.LookupError", None)
    assert first["sqlstate"] == "22023"
    frame = latest["frames"][-1]
    assert (frame["module"], frame["function"]) == (__name__, "crashing")
    assert {"forensics", "python", "psycopg", "duckdb", "pandas"} <= said["versions"].keys()
    assert None not in [said["versions"][name] for name in ("forensics", "duckdb", "psycopg")]
    return said


def test_a_command_that_crashes(
    incident: Incident, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    incident.happens(BEFORE, "DELETE FROM t WHERE id = 4")
    case = tmp_path / "new" / "case"
    given = ("compare", incident.backup, incident.live_dsn, "--case", case)
    monkeypatch.setattr(investigation, "compare_sources", crashing)
    status, said = run(*given)
    assert status == 2
    assert SECRET not in said
    assert "compare failed in a way that nobody foresaw: LookupError." in said
    [path] = crashes(case)
    assert str(path) in said
    found = is_sendable(path)
    assert found["stage"] == "compare"
    assert found["postgresql"]["live"]
    monkeypatch.undo()
    # It stands in nobody's way, and --force clears it away.
    assert run(*given, "--force", "--quiet")[0] == 1
    assert not crashes(case)
    monkeypatch.setattr(facade.Case, "loss", property(crashing))
    status, said = run("loss", case, "--json")
    assert (status, SECRET in said) == (2, False)
    [path] = crashes(case)
    assert is_sendable(path)["postgresql"]["live"]
    monkeypatch.setenv("FORENSICS_DEBUG", "1")
    done = CliRunner().invoke(app, ["loss", str(case)])
    assert isinstance(done.exception, LookupError)


def test_a_stage_that_crashes(
    incident: Incident, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    incident.happens(BEFORE, "DELETE FROM t WHERE id = 4")
    monkeypatch.setattr(investigation, "assess", crashing)
    case = tmp_path / "case"
    status, said = run("compare", incident.backup, incident.live_dsn, "--case", case)
    assert status == 2
    [path] = crashes(case)
    assert is_sendable(path)["stage"] == "loss"
    assert path.name in said
    for text in (said, *(file.read_text() for file in case.glob("*.json"))):
        assert SECRET not in text


def test_without_a_case_it_goes_where_temporary_files_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from forensics.evidence import inspection

    backup = tmp_path / "b.sql"
    backup.write_text("CREATE TABLE t (id int);\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(inspection, "inspect_backup", crashing)
    status, said = run("inspect", backup)
    assert (status, SECRET in said) == (2, False)
    [path] = crashes(tmp_path)
    assert str(path) in said
    is_sendable(path)


@pytest.mark.parametrize("error", [ImportError(SECRET), ModuleNotFoundError(SECRET, name="duckdb")])
def test_a_library_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: ImportError
) -> None:
    from forensics.evidence import inspection

    def missing(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(inspection, "inspect_backup", missing)
    backup = tmp_path / "b.sql"
    backup.write_text("CREATE TABLE t (id int);\n")
    status, said = run("inspect", backup)
    assert (status, SECRET in said) == (2, False)
    assert ("there is no duckdb" in said) == bool(error.name)
