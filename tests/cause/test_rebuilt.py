"""A schema that was made anew by no migration, and what looks like it and is none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.errors import CaseError
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma
from tests.test_cli import run

BASE = """
CREATE TABLE wards (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE patients (id serial PRIMARY KEY, ward_id int REFERENCES wards, name text NOT NULL);
CREATE TABLE doctors (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
"""
VISITS = """
CREATE TABLE visits (id serial PRIMARY KEY, patient_id int NOT NULL REFERENCES patients,
    doctor_id uuid NOT NULL REFERENCES doctors, at date);
CREATE TABLE allergies (patient_id int REFERENCES patients, what text,
    PRIMARY KEY (patient_id, what));
CREATE TABLE notes (visit_id int REFERENCES visits, body text);
"""
ROWS = """
INSERT INTO wards (name) SELECT 'ward ' || i FROM generate_series(1, 4) i;
INSERT INTO patients (ward_id, name) SELECT 1 + i % 4, 'p' || i FROM generate_series(1, 60) i;
INSERT INTO doctors (name) SELECT 'd' || i FROM generate_series(1, 9) i;
INSERT INTO visits (patient_id, doctor_id, at)
    SELECT 1 + i % 60, (SELECT id FROM doctors ORDER BY name OFFSET i % 9 LIMIT 1),
           date '2025-01-01' + i
      FROM generate_series(1, 120) i;
INSERT INTO allergies SELECT i, 'nuts' FROM generate_series(1, 30) i;
INSERT INTO notes SELECT i, 'n' || i FROM generate_series(1, 80) i;
"""
LOST = {"wards": 4, "patients": 60, "doctors": 9, "visits": 120, "allergies": 30, "notes": 80}
SEEDS = """
INSERT INTO wards (name) VALUES ('ward 1'), ('ward 2');
INSERT INTO patients (ward_id, name) VALUES (1, 'seeded');
"""
NEW_SCHEMA = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"

ROWS_OF_INTS = (
    ROWS.replace("wards (name) SELECT", "wards SELECT i,")
    .replace("patients (ward_id, name) SELECT", "patients SELECT i,")
    .replace("visits (patient_id, doctor_id, at)\n    SELECT", "visits SELECT i,")
    + "INSERT INTO _prisma_migrations SELECT i::text, 'x', '2025-07-01', n, NULL, NULL,"
    " '2025-07-01', 1 FROM unnest(ARRAY['20250101_base', '20250601_visits'])"
    " WITH ORDINALITY AS m(n, i);"
)
MIGRATIONS = (("20250101_base", BASE), ("20250601_visits", VISITS))

KEEPING = {"track_commit_timestamp": "on", "wal_level": "logical", "max_wal_senders": "4"}

_numbers = count()


@dataclass
class Before:
    """A database before anything happened to it, with its dumps.

    Attributes:
        migrations: what was noted of its migrations, and the folder with their files.
    """

    server: Scratch
    folder: Path
    migrations: Prisma
    name: str = "before"

    def build(self) -> Before:
        self.server.create(self.name)
        said = [Prisma.TABLE]
        said += [self.migrations.ran(name, text) for name, text in MIGRATIONS]
        self.server.run(self.name, "".join(said) + ROWS)
        self.server.dump(self.name, self.folder / "custom", "-Fc")
        self.server.dump(self.name, self.folder / "plain")
        self.server.dump(self.name, self.folder / "timed", "-v")
        return self


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    """On a server that does not keep when transactions were committed, as most do not."""
    folder = tmp_path_factory.mktemp("clinic")
    with Scratch() as server:
        yield Before(server, folder, Prisma(folder / "migrations")).build()


@pytest.fixture(scope="module")
def committing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    folder = tmp_path_factory.mktemp("committing")
    with Scratch(settings=KEEPING) as server:
        yield Before(server, folder, Prisma(folder / "migrations")).build()


class Clinic:
    """A copy of the database before, and what happens to it.

    A copy's tables have the numbers that those of its template have.
    """

    def __init__(self, before: Before, form: str, folder: Path) -> None:
        self.server, self.folder = before.server, folder
        self.prisma = before.migrations
        self.backup = before.folder / form
        self.name = f"clinic{next(_numbers)}"
        self.server.create(self.name, before.name)

    @property
    def is_archive(self) -> bool:
        return self.backup.name == "custom"

    def happens(self, *scripts: str, at_once: bool = False) -> Clinic:
        for script in scripts:
            self.server.run(self.name, f"BEGIN; {script} COMMIT;" if at_once else script)
        return self

    def again(self, seconds: int = 2) -> str:
        """The SQL that applies the migrations anew, as of now."""
        now = datetime.now(UTC) + timedelta(seconds=1)
        said = [Prisma.TABLE]
        for place, (name, text) in enumerate(MIGRATIONS):
            at = now + timedelta(seconds=place * seconds)
            said += [text, self.prisma.row(name, text, finished=at.isoformat())]
        return "".join(said)

    def compared(self, dsn: str | None = None) -> fx.Case:
        return fx.compare(self.backup, dsn or self.server.dsn(self.name), self.folder / "case")

    def cause(self) -> dict[str, Any]:
        with self.compared() as case:
            found = case.cause(self.prisma.folder)
            return {**found.found, "verdict": found.verdict}


@pytest.fixture(params=["custom", "plain"])
def clinic(request: Any, before: Before, tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(before, request.param, tmp_path)
    yield made
    made.server.drop(made.name)


@pytest.fixture
def archived(before: Before, tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(before, "custom", tmp_path)
    yield made
    made.server.drop(made.name)


def rows(found: dict[str, Any]) -> dict[str, int]:
    """By table, what is laid at the rebuild; the migration history aside."""
    laid = {}
    for entry in found["statements"]:
        if entry["migration"] is None and entry["table"] != "_prisma_migrations":
            assert (entry["line"], entry["sql"], entry["hazard"]) == (None, None, "schema-rebuilt")
            laid[entry["table"]] = entry["rows"]
    return laid


def evidence(found: dict[str, Any]) -> str:
    return " ".join(found["rebuild"]["evidence"])


# --- rebuilt --------------------------------------------------------------------------------------


def test_a_schema_made_anew_at_once_with_an_empty_history(clinic: Clinic) -> None:
    clinic.happens(NEW_SCHEMA + Prisma.TABLE + BASE + VISITS, at_once=True)
    found = clinic.cause()
    assert rows(found) == LOST
    assert found["unexplained"] == []
    rebuild = found["rebuild"]
    assert (rebuild["pattern"], rebuild["tables"], rebuild["of"]) == ("rebuilt", 7, 7)
    assert rebuild["transactions"] == 1
    assert found["verdict"].startswith("The schema was rebuilt ")
    assert "That accounts for 303 missing rows." in found["verdict"]
    said = evidence(found)
    assert "Of 3 sequences that had been called 3 began again, and 3 of these" in said
    assert "which noted 2 migrations, is empty" in said
    assert not any("restored from elsewhere" in note for note in found["notes"])


def test_seeds_ran_and_the_history_was_applied_again(clinic: Clinic) -> None:
    clinic.happens(NEW_SCHEMA, clinic.again(), SEEDS)
    found = clinic.cause()
    laid = rows(found)
    assert laid == {**LOST, "wards": 2, "patients": 59}
    assert found["unexplained"] == []
    assert "2 migrations of the backup's history ran again, within 2 s" in evidence(found)
    assert found["replay"]["ran"] is False  # they ran on the new tables


def test_a_history_that_stayed_and_was_applied_again(clinic: Clinic) -> None:
    """As goose and knex do it: all down, all up. The old migrations are not replayed."""
    names = ", ".join(reversed(LOST))
    clinic.happens(
        f"DROP TABLE {names}",
        BASE + VISITS,
        "UPDATE _prisma_migrations SET started_at = now(), finished_at = now() + interval '1 s'",
    )
    found = clinic.cause()
    assert rows(found) == LOST
    assert found["replay"]["ran"] is False


def test_statement_by_statement(clinic: Clinic) -> None:
    """As flyway clean and migrate, without a transaction around it."""
    drops = "; ".join(f"DROP TABLE {name} CASCADE" for name in (*LOST, "_prisma_migrations"))
    clinic.happens(drops, Prisma.TABLE, BASE, VISITS)
    found = clinic.cause()
    assert rows(found) == LOST
    assert found["rebuild"]["transactions"] == 7


def test_every_table_was_filled_again_and_none_draws_from_a_sequence(
    before: Before, tmp_path: Path
) -> None:
    """A plain dump: the history and the statistics are all that is left to prove it."""
    clinic = Clinic(before, "plain", tmp_path)
    plain = (BASE + VISITS).replace("serial", "int")
    clinic.happens(NEW_SCHEMA + plain + Prisma.TABLE + ROWS_OF_INTS)
    clinic.backup = clinic.server.dump(clinic.name, tmp_path / "plain")
    clinic.happens(NEW_SCHEMA, clinic.again().replace("serial", "int"))
    clinic.happens(
        "INSERT INTO wards VALUES (91, 'x'); INSERT INTO patients VALUES (91, 91, 'x');"
        "INSERT INTO doctors (name) VALUES ('x'); INSERT INTO allergies VALUES (91, 'x');"
        "INSERT INTO visits SELECT 991, 91, id FROM doctors; INSERT INTO notes VALUES (991, 'x')"
    )
    found = clinic.cause()
    assert rows(found) == LOST
    assert "since the migrations ran again" in evidence(found)
    clinic.server.drop(clinic.name)


def test_a_dump_of_the_schema_was_loaded(clinic: Clinic) -> None:
    """As db:structure:load does: keys come after the tables."""
    script = clinic.server.dump(clinic.name, clinic.folder / "schema", "-s").read_text()
    lines = [line for line in script.splitlines() if not line.startswith("\\")]
    clinic.happens(NEW_SCHEMA, "\n".join(lines))
    assert rows(clinic.cause()) == LOST


def test_a_table_that_was_not_made_again_went_with_it(archived: Clinic) -> None:
    archived.happens(NEW_SCHEMA + BASE + VISITS.replace("CREATE TABLE notes", "CREATE TABLE memos"))
    found = archived.cause()
    assert rows(found) == LOST
    assert found["rebuild"]["gone"] == 2
    assert "which noted 2 migrations, is gone" in evidence(found)


def test_a_column_that_the_new_schema_lacks(archived: Clinic) -> None:
    archived.happens(NEW_SCHEMA + BASE.replace(", ward_id int REFERENCES wards", "") + VISITS)
    found = archived.cause()
    assert found["unexplained"] == found["unexplained_values"] == []
    taken = {(s["table"], s["column"]): s["rows"] for s in found["statements"] if s["column"]}
    assert taken == {("patients", "ward_id"): 60}


def test_the_database_was_dropped_and_made_again(clinic: Clinic) -> None:
    clinic.server.drop(clinic.name)
    clinic.server.create(clinic.name)
    clinic.happens(clinic.again())
    found = clinic.cause()
    assert rows(found) == LOST


def test_live_alone_tells_of_it(archived: Clinic) -> None:
    """Without a folder of migrations, in the command's own words."""
    archived.happens(NEW_SCHEMA + BASE + VISITS)
    archived.compared().close()
    folder = archived.folder / "case"
    shown = run("cause", folder)
    assert shown.returncode == 1, shown.stderr
    assert "What says that the schema was rebuilt:" in shown.stdout
    assert "That accounts for 303 missing rows." in " ".join(shown.stdout.split())
    told = run("cause", folder, "--json")
    found = json.loads(told.stdout)
    assert rows(found) == LOST
    assert found == json.loads((folder / "cause.json").read_text())
    with fx.open_case(folder) as case:
        statements = case.cause().statements
        assert str(statements["line"].dtype) == "Int64"
        assert "schema-rebuilt" in case.cause()._repr_html_()


def test_live_alone_tells_of_nothing_else(archived: Clinic) -> None:
    archived.happens("DELETE FROM notes")
    with archived.compared() as case, pytest.raises(CaseError, match="was not looked for yet"):
        case.cause()


def test_seeds_that_bring_most_tables_back(archived: Clinic) -> None:
    """Reference data stand as they stood; the history says that the rest did not."""
    archived.happens(NEW_SCHEMA, archived.again())
    archived.happens(
        "INSERT INTO wards (name) SELECT 'ward ' || i FROM generate_series(1, 4) i;"
        "INSERT INTO patients (ward_id, name)"
        " SELECT 1 + i % 4, 'p' || i FROM generate_series(1, 60) i;"
        "INSERT INTO allergies SELECT i, 'nuts' FROM generate_series(1, 30) i"
    )
    assert rows(archived.cause()) == {"doctors": 9, "visits": 120, "notes": 80}


def test_another_schema_is_left_alone(archived: Clinic) -> None:
    """What is deleted there stays unexplained, and what a migration does is replayed."""
    archived.happens(
        "CREATE SCHEMA old; CREATE TABLE old.bills (id int PRIMARY KEY);"
        "CREATE TABLE old.dues (id int PRIMARY KEY);"
        "INSERT INTO old.bills SELECT generate_series(1, 40);"
        "INSERT INTO old.dues SELECT generate_series(1, 7);"
    )
    archived.backup = archived.server.dump(archived.name, archived.folder / "custom", "-Fc")
    folder = archived.folder / "migrations"
    shutil.copytree(archived.prisma.folder, folder)
    archived.prisma = Prisma(archived.folder / "more")
    archived.prisma.folder, archived.prisma.count = folder, 10
    tidy = "DELETE FROM old.bills WHERE id > 30; DELETE FROM patients;"
    later = (datetime.now(UTC) + timedelta(seconds=9)).isoformat()
    archived.happens("DELETE FROM old.dues WHERE id = 7", NEW_SCHEMA, archived.again(), tidy)
    archived.prisma.write("20260101_tidy", tidy)
    archived.happens(archived.prisma.row("20260101_tidy", tidy, finished=later))
    found = archived.cause()
    assert rows(found) == LOST
    told = {(s["migration"], s["table"]): s["rows"] for s in found["statements"] if s["rows"]}
    assert told["20260101_tidy", "bills"] == 10
    assert ("20260101_tidy", "patients") not in told
    assert [(u["table"], u["rows"]) for u in found["unexplained"]] == [("dues", 1)]


# --- not rebuilt ----------------------------------------------------------------------------------


def not_rebuilt(found: dict[str, Any]) -> None:
    assert rows(found) == {}
    assert (found["rebuild"] or {"pattern": "emptied"})["pattern"] == "emptied"
    assert "was rebuilt" not in found["verdict"]


@pytest.mark.parametrize("how", ["", " RESTART IDENTITY"])
def test_truncated_is_not_rebuilt(clinic: Clinic, how: str) -> None:
    clinic.happens(f"TRUNCATE {', '.join(LOST)}, _prisma_migrations{how}")
    found = clinic.cause()
    not_rebuilt(found)
    left = {u["table"]: u["rows"] for u in found["unexplained"]}
    assert {name: left[name] for name in LOST} == LOST
    assert found["rebuild"]["pattern"] == "emptied"
    [note] = [note for note in found["notes"] if note.startswith("6 tables were emptied")]
    assert "another file than their first" in note
    # An archive knows the tables by their ids.
    assert ("are those that were dumped" in note) is clinic.is_archive


DELETED = "".join(f"DELETE FROM {name};" for name in reversed(LOST))
SET_BACK = "".join(
    f"SELECT setval('{name}_id_seq', 1, false);" for name in ("wards", "patients", "visits")
)
# Fixtures that were loaded, as by Rails: rows are deleted, sequences set to what is there.
FIXTURES = """
INSERT INTO wards (name) VALUES ('east'), ('west');
INSERT INTO patients (ward_id, name) SELECT id, 'x' FROM wards LIMIT 1;
SELECT setval('wards_id_seq', 2); SELECT setval('patients_id_seq', 1);
SELECT setval('visits_id_seq', 1, false);
"""
TWO_ANEW = """
DROP TABLE notes, allergies; CREATE TABLE notes (visit_id int REFERENCES visits, body text);
CREATE TABLE allergies (patient_id int REFERENCES patients, what text,
    PRIMARY KEY (patient_id, what));
"""


@pytest.mark.parametrize(
    "happens",
    [
        f"{DELETED} VACUUM; {SET_BACK}",
        DELETED + FIXTURES,
        TWO_ANEW,
        "DELETE FROM notes; VACUUM FULL; REINDEX SCHEMA public;",
    ],
    ids=["deleted and set back", "fixtures", "two made again", "vacuum full"],
)
def test_what_looks_like_it_is_not_rebuilt(clinic: Clinic, happens: str) -> None:
    clinic.happens(happens)
    not_rebuilt(clinic.cause())


def test_a_noted_migration_that_makes_all_tables_anew_comes_first(archived: Clinic) -> None:
    text = f"DROP TABLE {', '.join(LOST)}; {BASE} {VISITS}"
    folder = archived.folder / "migrations"
    shutil.copytree(archived.prisma.folder, folder)
    archived.prisma = Prisma(archived.folder / "more")
    archived.prisma.folder, archived.prisma.count = folder, 10
    archived.prisma.write("20260101_anew", text)
    archived.happens(text)
    at = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    archived.happens(archived.prisma.row("20260101_anew", text, finished=at))
    found = archived.cause()
    not_rebuilt(found)
    taken = {s["table"]: s["rows"] for s in found["statements"] if s["rows"]}
    assert taken == LOST


def test_grants_of_yesterday_and_rows_that_are_gone(clinic: Clinic) -> None:
    clinic.happens(
        "DO $$ BEGIN CREATE ROLE auditor; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor; ANALYZE;"
        "DELETE FROM notes; DELETE FROM visits"
    )
    not_rebuilt(clinic.cause())


@pytest.mark.parametrize(
    "gone",
    [
        "DELETE FROM notes; DELETE FROM visits WHERE id > 90",
        "DELETE FROM notes; DELETE FROM visits; DELETE FROM allergies;",
        "TRUNCATE notes, visits, allergies, patients, wards, doctors RESTART IDENTITY",
    ],
    ids=["rows there", "deleted", "truncated"],
)
def test_a_backup_that_was_restored_elsewhere(clinic: Clinic, gone: str) -> None:
    """Its tables are all younger, and held rows; then an application empties some or all."""
    plain = clinic.server.dump(clinic.name, clinic.folder / "all.sql").read_text()
    other = f"{clinic.name}_restored"
    clinic.server.create(other)
    safe = "\n".join(line for line in plain.splitlines() if not line.startswith("\\restrict"))
    clinic.server.run(other, safe.replace("\n\\unrestrict", "\n-- "))
    clinic.server.run(other, gone)
    with clinic.compared(clinic.server.dsn(other)) as case:
        not_rebuilt({**case.cause(clinic.prisma.folder).found, "verdict": ""})
    clinic.server.drop(other)


def test_a_logical_replica_that_is_not_filled_yet(committing: Before, tmp_path: Path) -> None:
    server, name = committing.server, "replica"
    server.create(name)
    server.run(name, Prisma.TABLE + BASE + VISITS)
    server.run(committing.name, "CREATE PUBLICATION everything FOR ALL TABLES")
    server.run(committing.name, "SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
    server.run(
        name,
        f"CREATE SUBSCRIPTION s CONNECTION '{server.dsn(committing.name)}' PUBLICATION everything"
        " WITH (create_slot = false, copy_data = false, enabled = false)",
    )
    clinic = Clinic(committing, "custom", tmp_path)
    with clinic.compared(server.dsn(name)) as case:
        not_rebuilt({**case.cause(clinic.prisma.folder).found, "verdict": ""})


# --- when -----------------------------------------------------------------------------------------


def test_a_commit_time_says_when(committing: Before, tmp_path: Path) -> None:
    """And proves it, where the backup says when it was taken and holds no ids."""
    clinic = Clinic(committing, "timed", tmp_path)
    since = datetime.now(UTC)
    filled = ROWS.replace("'p'", "'q'").replace("'ward '", "'room '").replace("'nuts'", "'eggs'")
    clinic.happens(NEW_SCHEMA + BASE + VISITS + filled.replace("'n'", "'m'"), at_once=True)
    until = datetime.now(UTC)
    found = clinic.cause()
    assert {"doctors": 9, "allergies": 30, "notes": 80}.items() <= rows(found).items()
    at = datetime.fromisoformat(found["rebuild"]["when"]["at"])
    assert since <= at <= until
    assert f"at {at.day} {at:%B %Y, %H:%M:%S} UTC" in found["verdict"]


def test_bounds_hold_and_name_their_sources(clinic: Clinic) -> None:
    since = datetime.now(UTC)
    clinic.happens(NEW_SCHEMA + BASE + VISITS)
    until = datetime.now(UTC)
    when = clinic.cause()["rebuild"]["when"]
    assert since <= datetime.fromisoformat(when["before"])
    if clinic.is_archive:
        assert datetime.fromisoformat(when["after"]) <= since
    else:
        assert when["after"] is None
    sources = {source["source"]: source for source in when["sources"]}
    files = sources["the oldest file of the new tables (pg_stat_file)"]
    assert since <= datetime.fromisoformat(files["at"]) <= until + timedelta(seconds=1)
    assert files["bound"] == "before" and files["why"] is None
    commit = sources["the commit of the transaction that made the first of them"]
    assert commit["at"] is None and "track_commit_timestamp" in commit["why"]


def test_a_role_that_may_read_and_no_more(archived: Clinic) -> None:
    archived.happens(NEW_SCHEMA + BASE + VISITS)
    archived.happens(
        "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT USAGE ON SCHEMA public TO reader;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
    )
    dsn = archived.server.dsn(archived.name).replace("postgres@", "reader@")
    with archived.compared(dsn) as case:
        assert case.complete
        found = case.cause(archived.prisma.folder).found
    assert rows(found) == LOST
    sources = {source["source"]: source for source in found["rebuild"]["when"]["sources"]}
    files = sources["the oldest file of the new tables (pg_stat_file)"]
    assert files["at"] is None and files["why"]
    assert datetime.fromisoformat(found["rebuild"]["when"]["before"])


# --- what comes after -----------------------------------------------------------------------------


def test_it_is_told_everywhere_and_rows_return(archived: Clinic) -> None:
    """Keys were given anew: what hangs on the rows of others stays blocked."""
    many = (
        "INSERT INTO patients (ward_id, name) SELECT 1, 'new ' || i FROM generate_series(1, 20) i"
    )
    archived.happens(NEW_SCHEMA, archived.again(), SEEDS, many)
    out = archived.folder
    with archived.compared() as case:
        case.cause(archived.prisma.folder)
        for form in ("md", "html"):
            text = case.report(out / f"report.{form}").read_text()
            assert "The schema was rebuilt between" in text
            assert "began again" in text
        case.report(out / "report.xlsx")
        case.report(out / "report.json")
        told = json.loads((out / "report.json").read_text())
        assert told["cause"]["rebuild"]["pattern"] == "rebuilt"
        dsn = archived.server.dsn(archived.name)
        plan = case.recovery.rehearse(
            out / "out",
            live=dsn,
            migrations=archived.prisma.folder,
            skip=["full restore", "roll back"],
        )
        assert plan.holds
        assert not list((out / "out").glob("**/*safer*"))  # no migration did it
        assert case.recovery.options.loc["reinsert lost rows", "blocked"] > 0
        assert case.recovery.options.loc["reinsert lost rows", "recovers"] > 100
        assert "no statement of a migration" not in case.recovery.recommendation
