"""Attribution on incidents with known answers.

Each is a folder tests/cases/cause_NAME/: before.sql, migrations/, between.sql, after.sql, and
cause.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forensics.case.facade import Case
from forensics.cause.attribution import Ask, attribute
from forensics.evidence.migrations import read_folder
from forensics.investigation import compare
from forensics.model import TableName
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma, run_incident

CASES = sorted(
    p.parent for p in (Path(__file__).parent.parent / "cases").glob("cause_*/cause.json")
)


@pytest.mark.parametrize("folder", CASES, ids=lambda p: p.name)
def test_the_statements_account_for_what_is_missing(
    folder: Path, scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    expected = json.loads((folder / "cause.json").read_text())
    with run_incident(
        folder, scratch, database, tmp_path, case_folder, expected.get("edited", ())
    ) as case:
        found = attributed(case, tmp_path / "migrations", scratch)
        adds_up(case, found)
    for want in expected["statements"]:
        place = {k: want.get(k) for k in ("table", "column", "line")} | (
            {"migration": want["migration"]} if "migration" in want else {}
        )
        some = [s for s in found["statements"] if all(s[k] == v for k, v in place.items())]
        told = [(s["line"], s["hazard"], s["table"], s["column"]) for s in found["statements"]]
        assert len(some) == 1, f"{place}: {told}"
        assert {k: some[0][k] for k in want} == want
    struck = [s for s in found["statements"] if s["rows"]]
    assert len(struck) == sum(1 for w in expected["statements"] if w["rows"])
    assert {u["table"]: u["rows"] for u in found["unexplained"]} == expected["unexplained"]
    assert not found["unexplained_values"]
    for code in expected.get("hazards", ()):
        assert code in {h["hazard"] for h in found["hazards"]}
    for words in expected.get("notes", ()):
        assert any(words in n for n in found["notes"]), found["notes"]
    if not expected.get("notes"):
        assert found["notes"] == []
    assert len(found["replay"]["failed"]) == expected.get("failed", 0), found["replay"]["failed"]


def attributed(case: Case, folder: Path, scratch: Scratch) -> dict[str, Any]:
    return attribute(case.store, Ask(read_folder(folder), scratch=scratch)).found


def adds_up(case: Case, found: dict[str, Any]) -> None:
    """Per table, the statements' rows and the unexplained ones are what `compare` found missing."""
    for result in case.results:
        told = sum(
            s["rows"] or 0
            for s in found["statements"]
            if s["table"] == result.name.table and s["column"] is None
        )
        rest = sum(u["rows"] for u in found["unexplained"] if u["table"] == result.name.table)
        assert told + rest == (result.missing or 0), result.name


def test_without_the_backup_file_rows_of_the_case_are_replayed(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    folder = CASES[0].parent / "cause_several_migrations"
    with run_incident(folder, scratch, database, tmp_path, case_folder) as case:
        (tmp_path / "backup.sql").unlink()
        found = attributed(case, tmp_path / "migrations", scratch)
        adds_up(case, found)
        assert found["unexplained"] == []
        assert any("is not there any more" in n for n in found["notes"])
        assert {
            s["table"]: s["rows"]
            for s in found["statements"]
            if s["hazard"] == "delete-cascades" and not s["column"]
        } == {
            "shelves": 15,
            "goods": 60,
        }
        codes = [s for s in found["statements"] if s["column"] == "code"]
        assert sum(s["rows"] for s in codes) == 240


def test_a_backup_that_is_a_database_has_no_ddl_and_is_replayed_all_the_same(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    before = database(
        "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE p (id serial PRIMARY KEY, m mood);"
        "CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);"
        "INSERT INTO p (m) SELECT 'a' FROM generate_series(1, 6);"
        "INSERT INTO c SELECT i, i FROM generate_series(1, 6) i;" + Prisma.TABLE
    )
    live = database(template=before)
    prisma = Prisma(tmp_path / "migrations")
    scratch.run(live, prisma.ran("20260102_x", "DELETE FROM p WHERE id > 4;"))
    with compare(scratch.dsn(before), scratch.dsn(live), case_folder) as case:
        found = attributed(case, tmp_path / "migrations", scratch)
    assert [(s["table"], s["rows"], s["hazard"]) for s in found["statements"]] == [
        ("c", 2, "delete-cascades"),
        ("p", 2, "delete-where"),
    ]


def test_an_attribution_opens_again_without_the_folder(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    with run_incident(
        CASES[0].parent / "cause_if_exists", scratch, database, tmp_path, case_folder
    ) as case:
        first = case.cause(tmp_path / "migrations")
        again = case.cause()
        assert again.found == first.found == json.loads((case_folder / "cause.json").read_text())
        assert list(again.statements["rows"]) == [9, 9]
        assert (
            "2 statements of 20260102000000_if_exists account for 9 missing rows and 9 values"
            in again.verdict
        )
        assert "drop-table" in again._repr_html_()
        assert list(again.timeline["kind"]) == ["migration", "now"]


def test_the_case_says_of_every_row_which_statement_took_it(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    for name in ("cause_keyless", "cause_cannot_be_replayed"):
        (tmp_path / name).mkdir()
        with run_incident(
            CASES[0].parent / name, scratch, database, tmp_path / name, case_folder / name
        ) as case:
            found = attribute(
                case.store, Ask(read_folder(tmp_path / name / "migrations"), scratch=scratch)
            )
            with case.writing() as store:
                found.write(store)
            with case.store.query() as cursor:
                for i, statement in enumerate(found.found["statements"]):
                    if statement["column"] is not None or not statement["rows"]:
                        continue
                    number = case.store.number(TableName(statement["schema"], statement["table"]))
                    rows = cursor.execute(
                        f"SELECT count(*) FROM cause.rows_{number} "
                        f"JOIN rows.backup_{number} b USING (pair) "
                        f"WHERE statement = {i} AND b.state = 'missing'"
                    ).fetchone()
                    assert rows == (statement["rows"],)


def test_the_time_line_has_the_evidence_in_the_data(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    live = database(
        Prisma.TABLE + "CREATE TABLE t (id int PRIMARY KEY, created_at timestamp);"
        "INSERT INTO t SELECT i, timestamp '2025-12-01' + i * interval '1 day' "
        "FROM generate_series(1, 9) i;"
    )
    backup = scratch.dump(live, tmp_path / "backup.sql")
    prisma = Prisma(tmp_path / "migrations")
    scratch.run(
        live,
        prisma.ran("1_x", "DELETE FROM t WHERE id < 4;")
        + "INSERT INTO t VALUES (20, '2026-01-05'), (21, '2026-01-07');",
    )
    with compare(
        backup,
        scratch.dsn(live),
        case_folder,
        times={"backup_at": datetime(2026, 1, 1, tzinfo=UTC), "incident_at": None},
    ) as case:
        found = attributed(case, tmp_path / "migrations", scratch)
    assert [(e["time"][:10], e["kind"]) for e in found["timeline"]][:5] == [
        ("2025-12-04", "evidence"),
        ("2026-01-01", "backup"),
        ("2026-01-02", "migration"),
        ("2026-01-05", "evidence"),
        ("2026-01-07", "evidence"),
    ]
    assert found["timeline"][-1]["kind"] == "now"


def test_where_no_server_starts_statements_are_counted_from_the_backup(
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    case_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with run_incident(
        CASES[0].parent / "cause_if_exists", scratch, database, tmp_path, case_folder
    ) as case:
        monkeypatch.setenv("FORENSICS_PGBIN", str(tmp_path))
        found = case.cause(tmp_path / "migrations").found
        adds_up(case, found)
    assert [(s["table"], s["rows"], s["counted"]) for s in found["statements"]] == [
        ("things", 9, "backup"),
        ("others", 9, "backup"),
    ]
    assert any("The replay could not run" in n for n in found["notes"])


@pytest.mark.parametrize("options", [("-Fc",), ("-Ft",), ("--inserts",)])
def test_any_kind_of_backup_is_replayed(
    options: tuple[str, ...],
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    case_folder: Path,
) -> None:
    live = database(
        Prisma.TABLE + (CASES[0].parent / "cause_several_migrations" / "before.sql").read_text()
    )
    backup = scratch.dump(live, tmp_path / "backup", *options)
    prisma = Prisma(tmp_path / "migrations")
    scratch.run(live, prisma.ran("1_close", "DELETE FROM shops WHERE NOT open;"))
    with compare(backup, scratch.dsn(live), case_folder) as case:
        found = attributed(case, tmp_path / "migrations", scratch)
        adds_up(case, found)
    assert found["notes"] == []
    assert {s["table"]: (s["hazard"], s["rows"]) for s in found["statements"]} == {
        "shops": ("delete-where", 5),
        "shelves": ("delete-cascades", 15),
        "goods": ("delete-cascades", 60),
        "audit": ("side-effect", 60),
    }


def test_inserts_of_heirs_are_loaded_in_the_order_that_live_tells(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    live = database(
        Prisma.TABLE + "CREATE TABLE craft (hull text, made int);"
        "CREATE TABLE ferry (seats int, decks int) INHERITS (craft);"
        "ALTER TABLE craft ADD COLUMN owner text, ADD COLUMN port text;"
        "INSERT INTO ferry (hull, made, seats, decks, owner, port)"
        " SELECT 'h' || i, 1990 + i, i * 10, 2, 'o' || i, 'p' || i FROM generate_series(1, 9) i"
    )
    backup = scratch.dump(live, tmp_path / "backup.sql", "--inserts")
    prisma = Prisma(tmp_path / "migrations")
    scratch.run(live, prisma.ran("1_scrap", "DELETE FROM ferry WHERE owner IN ('o3', 'o4')"))
    with compare(backup, scratch.dsn(live), case_folder) as case:
        found = attributed(case, tmp_path / "migrations", scratch)
        adds_up(case, found)
    told = [(s["hazard"], s["table"], s["rows"]) for s in found["statements"]]
    assert told == [("delete-where", "ferry", 2)]
    assert not [note for note in found["notes"] if "could not be loaded" in note]
