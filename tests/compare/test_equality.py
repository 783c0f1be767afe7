"""Keys that PostgreSQL holds equal though their text differs: one row that changed."""

from __future__ import annotations

from pathlib import Path

import pytest

import forensics as fx
from forensics.scratch import Scratch
from tests.conftest import Incident

BEFORE = """
CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
CREATE DOMAIN amount AS numeric;
CREATE TABLE mails (mail ext.citext PRIMARY KEY, n int);
INSERT INTO mails VALUES ('Ann@x', 1), ('BOB@x', 2), ('Gone@x', 3), ('same@x', 4), ('Élan@x', 5);
CREATE TABLE plain (name text PRIMARY KEY, n int);
INSERT INTO plain VALUES ('Ann', 1), ('same', 4);
CREATE TABLE sums (sum amount PRIMARY KEY, n int);
INSERT INTO sums VALUES (1.0, 1), (2.50, 2), (3, 3), (4, 4), (100, 5);
CREATE TABLE spans (span interval, at int, n int, PRIMARY KEY (span, at));
INSERT INTO spans VALUES ('1 mon', 1, 1), ('2 h', 1, 2), ('1 d', 1, 3), ('1 d', 2, 4);
CREATE TABLE docs (doc jsonb UNIQUE NOT NULL, n int);
INSERT INTO docs VALUES ('{"a": 1.0}', 1), ('{"a": 2}', 2);
CREATE TABLE ranges (r numrange PRIMARY KEY, n int);
INSERT INTO ranges VALUES ('[1.0,2.0)', 1), ('[3,4)', 2);
CREATE TABLE lists (l ext.citext[] PRIMARY KEY, n int);
INSERT INTO lists VALUES ('{A,b}', 1), ('{c}', 2);
"""
CHANGE = """
UPDATE mails SET mail = 'ann@X' WHERE n = 1; UPDATE mails SET mail = 'bob@x', n = 20 WHERE n = 2;
DELETE FROM mails WHERE n = 3; INSERT INTO mails VALUES ('new@x', 6);
DELETE FROM plain WHERE n = 1; INSERT INTO plain VALUES ('ann', 1);
UPDATE sums SET sum = 1.00 WHERE n = 1; UPDATE sums SET sum = 2.5 WHERE n = 2;
DELETE FROM sums WHERE n = 3; INSERT INTO sums VALUES (3.1, 6);
UPDATE spans SET span = '30 d' WHERE n = 1; UPDATE spans SET span = '24 h' WHERE n = 3;
DELETE FROM spans WHERE n = 2; INSERT INTO spans VALUES ('3 h', 1, 6);
UPDATE docs SET doc = '{"a": 1.00}' WHERE n = 1;
DELETE FROM docs WHERE n = 2; INSERT INTO docs VALUES ('{"a": 3}', 3);
UPDATE ranges SET r = '[1.00,2)' WHERE n = 1;
UPDATE lists SET l = '{a,B}' WHERE n = 1;
"""
NAMES = "CREATE TABLE names (name text PRIMARY KEY, n int); INSERT INTO names VALUES ('Ann', 1);"
COLLATION = (
    'CREATE COLLATION public."any Case" '
    "(provider = icu, deterministic = false, locale = 'und-u-ks-level2');"
)
# missing, added, changed
RIGHT = {
    "docs": (1, 1, 1),
    "lists": (0, 0, 1),
    "mails": (1, 1, 2),
    "plain": (1, 1, 0),
    "ranges": (0, 0, 1),
    "spans": (1, 1, 2),
    "sums": (1, 1, 2),
}


@pytest.fixture(scope="module")
def equal(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Dumps from before and after, and the database."""
    folder = tmp_path_factory.mktemp("equal")
    scratch.create("equal")
    scratch.run("equal", BEFORE)
    before = scratch.dump("equal", folder / "before.dump", "-Fc")
    scratch.run("equal", CHANGE)
    return before, scratch.dump("equal", folder / "after.sql"), scratch.dsn("equal")


def _found(case: fx.Case) -> dict[str, tuple[int | None, ...]]:
    return {r.name.table: (r.missing, r.added, r.changed) for r in case.results}


def test_live_is_asked(equal: tuple[Path, Path, str], case_folder: Path) -> None:
    before, _, dsn = equal
    options = fx.Options(verify=True)
    with fx.compare(before, dsn, case_folder, options=options) as case:
        assert _found(case) == RIGHT
        assert "2 rows stand under a key" in case.result("mails").notes[0]
        assert not case.result("plain").notes
        changed = case.table("mails").changed
    assert "Ann@x" in str(changed) and "ann@X" in str(changed)


def test_between_dumps_a_scratch_server_is_asked(
    equal: tuple[Path, Path, str], case_folder: Path
) -> None:
    before, after, _ = equal
    with fx.compare(before, after, case_folder) as case:
        assert _found(case) == RIGHT


@pytest.mark.parametrize("collated", [True, False])
def test_where_no_server_has_the_collation_that_is_said(
    incident: Incident, case_folder: Path, tmp_path: Path, collated: bool
) -> None:
    """The wheel's server knows no ICU, as a scratch server of those who run the kit may not."""
    incident.happens(NAMES, "UPDATE names SET name = 'ANN' WHERE n = 1;")
    after = incident.backup.with_name("after.sql")
    incident.dump_live(after)
    if collated:
        for path in (incident.backup, after):
            text = path.read_text().replace("name text", 'name text COLLATE public."any Case"')
            path.write_text(text.replace("CREATE TABLE", f"{COLLATION}\n\nCREATE TABLE", 1))
    with fx.compare(incident.backup, after, case_folder) as case:
        found = case.result("names")
    assert (found.missing, found.added, found.changed) == (1, 1, 0)
    assert any("is not known" in note for note in found.notes) == collated


def test_letters_that_only_the_database_can_fold(incident: Incident, case_folder: Path) -> None:
    """A scratch server folds a to z; what the database's locale makes of É nobody knows."""
    incident.happens(
        "CREATE EXTENSION citext; CREATE TABLE t (c citext PRIMARY KEY); "
        "INSERT INTO t VALUES ('Élan'), ('Ann');",
        "UPDATE t SET c = 'élan' WHERE c = 'Élan'; UPDATE t SET c = 'ANN' WHERE c = 'Ann';",
    )
    after = incident.backup.with_name("after.sql")
    incident.dump_live(after)
    with fx.compare(incident.backup, after, case_folder) as case:
        found = case.result("t")
    assert (found.missing, found.added, found.changed) == (1, 1, 1)
    assert any("locale" in note for note in found.notes)


def test_a_link_whose_end_is_written_otherwise_is_no_lost_link(
    incident: Incident, tmp_path: Path
) -> None:
    incident.happens(
        "CREATE EXTENSION citext; CREATE TABLE users (mail citext PRIMARY KEY, n int); "
        "CREATE TABLE teams (code numeric PRIMARY KEY, n int); "
        "CREATE TABLE members (mail citext REFERENCES users ON UPDATE CASCADE, "
        "  code numeric REFERENCES teams ON UPDATE CASCADE, PRIMARY KEY (mail, code)); "
        "CREATE TABLE seats (id int PRIMARY KEY, mail citext REFERENCES users ON UPDATE CASCADE, "
        "  code numeric REFERENCES teams ON UPDATE CASCADE, UNIQUE (mail, code)); "
        "INSERT INTO users SELECT 'User' || i, i FROM generate_series(1, 20) i; "
        "INSERT INTO teams SELECT i + 0.5, i FROM generate_series(1, 20) i; "
        "INSERT INTO members SELECT 'User' || i, i + 0.5 FROM generate_series(1, 20) i; "
        "INSERT INTO seats SELECT i, 'User' || i, i + 0.5 FROM generate_series(1, 20) i;",
        "UPDATE users SET mail = lower(mail) WHERE n <= 10; "
        "UPDATE teams SET code = code::numeric(5, 2) WHERE n > 10; "
        "DELETE FROM members WHERE mail = 'user3'; DELETE FROM seats WHERE id = 3;",
    )
    with incident.compare() as case:
        totals = case.loss["totals"]
        assert (totals["missing"], totals["lost"], totals["overwritten"]) == (2, 2, 0)
        assert case.result("members").changed == 19
        assert totals["restorable"] == 2
