"""The values of dropped columns, in recovery.sql and undo.sql on a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.errors import RecoveryError
from forensics.evidence import open_source
from forensics.recovery import Scope
from forensics.recovery.choose.selection import select
from forensics.recovery.rehearse.copies import LiveCopy, a_database
from forensics.recovery.rehearse.rehearsal import Where, rehearse
from forensics.recovery.rehearse.strands import Strands
from forensics.recovery.write.columns import open_backup, restored_columns
from forensics.recovery.write.definitions import Definitions
from forensics.recovery.write.script import Work
from tests.recovery.conftest import Incident

Build = Callable[..., Incident]


COLUMNS = r"""
CREATE TABLE items (a int, b text, title text, seen timestamptz DEFAULT now(), note text,
  PRIMARY KEY (b, a));
INSERT INTO items SELECT i, E'k\t' || i % 3, 't' || i,
  CASE WHEN i % 4 > 0 THEN timestamptz '2025-10-01 12:00+02' + i * interval '1 day' END,
  CASE WHEN i % 5 = 0 THEN E'back\\slash\n\\N' END FROM generate_series(1, 40) i;
CREATE TABLE log (at text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN NEW; END $$;
CREATE TRIGGER noted BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION note();
"""


@pytest.mark.parametrize("form", ["-Fp", "-Fc"])
def test_values_of_dropped_columns_return_on_request(incident: Build, form: str) -> None:
    change = (
        "ALTER TABLE items DROP COLUMN seen, DROP COLUMN note; DELETE FROM items WHERE a = 7; "
        "INSERT INTO items VALUES (99, 'new', 'x')"
    )
    found = incident(COLUMNS, change, form)
    after = found.state()
    assert found.plan().columns == ()
    plan = found.plan(columns=True, rehearse=True)
    assert plan.holds, (plan.problem, plan.rehearsal)
    assert [(str(n), columns, values) for n, columns, values in plan.columns] == [
        ("items", ("seen", "note"), 38)
    ]
    assert plan.rehearsal is not None
    assert plan.rehearsal.values == 37
    values = "SELECT a, b, seen, note FROM items WHERE a NOT IN (7, 99) ORDER BY a"
    for _ in range(2):
        found.run("recovery.sql")
        assert found.sql(values) == found.sql(values, found.before)
    assert found.sql("SELECT count(*) FROM log") == "0"
    assert found.sql("SELECT seen IS NULL FROM items WHERE a = 99") == "t"
    found.sql("UPDATE items SET note = 'mine' WHERE a = 1")
    assert "hold other values" in found.refuses("undo.sql")
    found.sql("UPDATE items SET note = NULL WHERE a = 1; DELETE FROM log")
    for _ in range(2):
        found.run("undo.sql")
        assert found.state() == after


def test_values_of_dropped_columns_return_to_the_rows_that_had_them(incident: Build) -> None:
    # A column that is added to a table is added to those that inherit from it; checks may read
    # other tables, by the search path.
    before = """
      CREATE TABLE parted (id int PRIMARY KEY, w text NOT NULL) PARTITION BY HASH (id);
      CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
      CREATE TABLE above (id int PRIMARY KEY, w text DEFAULT 'above');
      CREATE TABLE a_child (x int, PRIMARY KEY (id)) INHERITS (above);
      CREATE TABLE allowed (v text); INSERT INTO allowed VALUES ('v');
      CREATE FUNCTION fine(text) RETURNS bool LANGUAGE plpgsql
      AS $$ BEGIN RETURN EXISTS (SELECT FROM allowed WHERE v = $1); END $$;
      CREATE TABLE checked (id int PRIMARY KEY, v text CHECK (fine(v)), w text);
      INSERT INTO parted SELECT i, 'p' || i FROM generate_series(1, 5) i;
      INSERT INTO above SELECT i, 'a' || i FROM generate_series(1, 3) i;
      INSERT INTO a_child SELECT i, 'c' || i FROM generate_series(2, 5) i;
      INSERT INTO checked SELECT i, 'v', 'w' || i FROM generate_series(1, 5) i;
      CREATE SCHEMA kinds; CREATE TYPE mood AS ENUM ('sad', 'so so');
      CREATE FUNCTION kinds.good(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
      CREATE DOMAIN kinds.level AS int CHECK (kinds.good(value));
      CREATE TYPE kinds.levels AS RANGE (subtype = kinds.level); CREATE TYPE lost AS ENUM ('x');
      CREATE TABLE typed (id int PRIMARY KEY, m mood NOT NULL DEFAULT 'sad', l kinds.levels,
        x lost[], n int);
      INSERT INTO typed SELECT i, 'so so', kinds.levels(i, i + 2), '{x}', i
        FROM generate_series(1, 5) i;
      CREATE TABLE moody (id int PRIMARY KEY, m mood); INSERT INTO moody VALUES (1, 'sad');
      CREATE EXTENSION hstore;
      CREATE TABLE extended (id int PRIMARY KEY, h hstore DEFAULT hstore('a', 'b'),
        "Twice" int GENERATED ALWAYS AS (id * 2) STORED);
      INSERT INTO extended SELECT i FROM generate_series(1, 5) i;"""
    change = (
        "".join(f"ALTER TABLE {t} DROP COLUMN w;" for t in ("parted", "above", "checked"))
        + "DELETE FROM checked WHERE id = 1;"
    )
    change += (
        "ALTER TABLE typed DROP COLUMN m, DROP COLUMN x, DROP COLUMN n; DROP TABLE moody; "
        "DROP TYPE mood, lost; DROP SCHEMA kinds CASCADE;"
        'ALTER TABLE extended DROP COLUMN h, DROP COLUMN "Twice"; DROP EXTENSION hstore'
    )
    found = incident(before, change)
    after = found.state()
    plan = found.plan(columns=True, include_unexplained=True, rehearse=True)
    assert plan.holds, (plan.problem, plan.problems)
    assert (
        "The values of parted.w return without NOT NULL: rows written since have none."
        in plan.notes
    )
    (worked_out,) = (n for n in plan.notes if "was worked out from others" in n)
    assert worked_out.endswith(
        'ALTER TABLE "public"."extended" ADD COLUMN "Twice" integer GENERATED ALWAYS AS (id * '
        "2) STORED;"
    )
    assert plan.rehearsal is not None
    assert [n for n in plan.rehearsal.notes if "checked_v_check of checked was left aside" in n]
    ask = (
        "SELECT 'p', id, w FROM parted UNION ALL SELECT tableoid::regclass::text, id, w "
        "FROM above UNION ALL SELECT v, id, w FROM checked "
    )
    ask += (
        "UNION ALL SELECT concat_ws(' ', m, l, x, n), id, pg_typeof(m) || ' ' || pg_typeof(l) "
        "FROM typed UNION ALL SELECT m::text, id, '' FROM moody UNION ALL "
        "SELECT 'h', id, h::text FROM extended ORDER BY 1, 2"
    )
    for _ in range(2):
        found.run("recovery.sql")
        assert found.sql(ask) == found.sql(ask, found.before)
    for _ in range(2):
        found.run("undo.sql")
        assert found.state() == after
    # Rows that break a check that was never validated can be changed by nobody.
    found.sql("ALTER TABLE parted ADD CONSTRAINT few CHECK (id > 3) NOT VALID")
    said = found.refuses("recovery.sql")
    assert "Table public.parted refuses values in rows that it holds" in said
    assert "few" in said
    assert "add it again afterwards" in said
    found.sql("ALTER TABLE parted DROP CONSTRAINT few")
    # Values that do not come back as they were are seen by the rehearsal.
    script = (found.out / "recovery.sql").read_text()
    assert script.count("3\ta3\n") == 1
    (found.out / "recovery.sql").write_text(script.replace("3\ta3\n", "3\tA3\n"))
    with (
        open_backup(found.case.store, None) as backup,
        select(found.case.store, Scope(columns=True)) as selection,
    ):
        restored, _ = restored_columns(found.case.store, Scope(columns=True), backup)
        work = Work(selection, Definitions(()), restored=restored)
        live = found.scratch.dsn(found.database)
        with a_database(found.scratch) as name, open_source(live, role="live") as source:
            copy = LiveCopy(found.scratch, name, source)  # type: ignore[arg-type]
            copy.make([t.name for t in source.catalog.roots], (), ())
            where = Where(copy, [name], Strands(1))
            problems = rehearse(work, (), where, found.out).rehearsal.problems
    assert "1 rows of above do not hold the backup's values of w." in problems


def test_another_backup_is_not_taken_for_the_one_that_was_compared(
    incident: Build, tmp_path: Path
) -> None:
    found = incident(COLUMNS, "ALTER TABLE items DROP COLUMN seen")
    (tmp_path / "backup.dump").write_text(
        (tmp_path / "backup.dump").read_text().replace("t12", "t13")
    )
    with pytest.raises(RecoveryError, match="sha256 differs"):
        found.plan(columns=True)
    (tmp_path / "backup.dump").unlink()
    with pytest.raises(RecoveryError, match="not at hand"):
        found.plan(columns=True)
