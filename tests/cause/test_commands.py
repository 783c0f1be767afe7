"""`cause` and `preflight` as people and CI services call them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.case.facade import open_case
from forensics.investigation import compare
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma
from tests.test_cli import SECRET, run, with_password

BEFORE = (
    Prisma.TABLE + "CREATE TABLE t (id int PRIMARY KEY, v text);"
    "INSERT INTO t SELECT i, 'v' FROM generate_series(1, 12431) i;"
)


@pytest.fixture
def incident(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> tuple[Path, Prisma]:
    """A case in which a migration dropped t, and its folder of migrations."""
    live = database(BEFORE)
    backup = scratch.dump(live, tmp_path / "backup.sql")
    prisma = Prisma(tmp_path / "migrations")
    scratch.run(live, prisma.ran("1_drop", "-- away with it\nDROP TABLE t;"))
    compare(backup, scratch.dsn(live), case_folder).close()
    return case_folder, prisma


def test_cause_answers_in_json_and_for_people(incident: tuple[Path, Prisma]) -> None:
    case, prisma = incident
    done = run("cause", case, "--migrations", prisma.folder, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found == json.loads((case / "cause.json").read_text())
    assert [
        (s["line"], s["hazard"], s["table"], s["column"], s["rows"]) for s in found["statements"]
    ] == [(2, "drop-table", "t", None, 12431)]
    again = run("cause", case)
    assert again.returncode == 1
    assert "1 statement of 1_drop account" in again.stdout
    assert "12,431" in again.stdout


@pytest.mark.parametrize("bad", ["absent", "empty"])
def test_bad_folders_are_said(bad: str, incident: tuple[Path, Prisma], tmp_path: Path) -> None:
    case, _ = incident
    (tmp_path / "empty").mkdir()
    done = run("cause", case, "--migrations", tmp_path / bad, "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "migration"
    said = {"absent": "is not there", "empty": "is no migration folder"}
    assert said[bad] in error["message"]
    assert error["hint"]


def test_a_statement_that_nobody_can_read_is_marked(incident: tuple[Path, Prisma]) -> None:
    case, prisma = incident
    prisma.write("1_drop", "-- away with it\nDROP TABEL t;")
    done = run("cause", case, "--migrations", prisma.folder, "--json")
    assert done.returncode == 2
    found = json.loads(done.stdout)
    [statement] = found["statements"]
    assert (statement["line"], statement["hazard"]) == (2, "not-understood")
    assert statement["rows"] is None
    assert any("line 2 of 1_drop" in sentence for sentence in found["unknown"])


def test_a_case_that_is_open_elsewhere_is_said(incident: tuple[Path, Prisma]) -> None:
    case, prisma = incident
    with open_case(case) as opened, opened.writing():
        done = run("cause", case, "--migrations", prisma.folder)
    assert done.returncode == 2
    assert "is open in another process" in done.stderr


def test_a_case_that_somebody_reads_is_none_the_less_written(
    incident: tuple[Path, Prisma],
) -> None:
    case, prisma = incident
    with open_case(case) as opened, opened.store.reading():
        done = run("cause", case, "--migrations", prisma.folder)
    assert done.returncode == 1, done.stderr


def test_cause_was_not_looked_for_yet(incident: tuple[Path, Prisma]) -> None:
    done = run("cause", incident[0], "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "case"


def test_nothing_missing_ends_with_0(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    live = database(BEFORE)
    prisma = Prisma(tmp_path / "migrations")
    backup = scratch.dump(live, tmp_path / "backup.sql")
    scratch.run(live, prisma.ran("1_add", "ALTER TABLE t ADD COLUMN w int;"))
    compare(backup, scratch.dsn(live), case_folder).close()
    done = run("cause", case_folder, "--migrations", prisma.folder, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["migrations"][0]["name"] == "1_add"


@pytest.mark.parametrize(
    ("text", "options", "status"),
    [
        ("ALTER TABLE t ADD COLUMN w int;", (), 0),
        ("DROP TABLE t;", (), 1),
        ("ALTER TABLE t ADD COLUMN w int NOT NULL;", ("--strict",), 1),
        ("DELETE FROM t WHERE unheard_of(id);", (), 2),
        ("DROP TABEL t;", (), 2),
    ],
)
def test_preflight_ends_with(
    text: str,
    options: tuple[str, ...],
    status: int,
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
) -> None:
    (tmp_path / "m.sql").write_text(text)
    done = run(
        "preflight",
        tmp_path / "m.sql",
        with_password(scratch.dsn(database(BEFORE))),
        "--json",
        *options,
    )
    assert done.returncode == status
    answer = json.loads(done.stdout)
    wanted = {"line", "sql", "hazard", "schema", "table", "column", "rows", "fails"}
    assert all(wanted <= set(h) for h in answer["hazards"])
    if "TABEL" in text:
        assert [(h["hazard"], h["rows"]) for h in answer["hazards"]] == [("not-understood", None)]


def test_preflight_for_pull_requests(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    dsn = scratch.dsn(database(BEFORE))
    (tmp_path / "m.sql").write_text("\nDROP TABLE t;")
    done = run("preflight", tmp_path / "m.sql", dsn, "--format", "github")
    assert done.returncode == 1
    assert (
        done.stdout
        == f"::error file={tmp_path}/m.sql,line=2,title=drop-table::drops 12,431 rows of t\n"
    )
    done = run("preflight", tmp_path / "m.sql", "--format", "sarif", LIVE_DSN=dsn)
    assert json.loads(done.stdout)["version"] == "2.1.0"
    people = run("preflight", tmp_path / "m.sql", dsn)
    assert "drops 12,431 rows of t" in people.stdout
    assert SECRET not in people.stdout
    (tmp_path / "m.sql").write_text(
        "DO $$ BEGIN EXECUTE 'TRUNCATE ' || quote_ident('t'); PERFORM 1 FROM t; END $$;\n"
        "DELETE FROM t WHERE false;"
    )
    rehearsed = run("preflight", tmp_path / "m.sql", dsn, "--rehearse")
    assert rehearsed.returncode == 1
    assert "The rehearsal took 12,431." in " ".join(rehearsed.stdout.split())


def test_preflight_wants_a_database(tmp_path: Path) -> None:
    (tmp_path / "m.sql").write_text("DROP TABLE t;")
    done = run("preflight", tmp_path / "m.sql", tmp_path / "backup.sql", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "usage"
