"""recovery.sql and undo.sql on a real server, held against whole dumps of the database before and after."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from forensics.errors import ForensicsError, RecoveryError
from forensics.evidence import open_source
from forensics.recovery import Scope
from forensics.recovery.choose.selection import select
from forensics.recovery.rehearse.copies import LiveCopy, a_database
from forensics.recovery.rehearse.rehearsal import rehearse
from forensics.recovery.write.columns import open_backup, restored_columns
from forensics.recovery.write.definitions import Definitions
from forensics.recovery.write.script import Work
from tests.recovery.conftest import Incident

Build = Callable[..., Incident]

SHOP = """
CREATE TABLE hotels (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE assets (id int PRIMARY KEY, url text);
CREATE TABLE hotel_images (id int PRIMARY KEY, hotel_id text NOT NULL REFERENCES hotels ON DELETE CASCADE,
  asset_id int NOT NULL REFERENCES assets ON DELETE CASCADE, sort_order int NOT NULL DEFAULT 0);
INSERT INTO hotels SELECT 'h' || i, 'Hotel ' || i FROM generate_series(1, 10) i;
INSERT INTO assets SELECT i, 'a' || i FROM generate_series(1, 20) i;
INSERT INTO hotel_images SELECT i, 'h' || (1 + i % 10), 1 + (i + i / 10 * 3) % 20, i FROM generate_series(1, 60) i;
"""
DROPPED = """
DELETE FROM hotels WHERE id = 'h3';
UPDATE hotels SET name = 'renovated' WHERE id = 'h4';
DROP TABLE hotel_images;
"""

EVERYTHING = r'''
CREATE SCHEMA "Odd.Schema";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TYPE "Odd.Schema".point3 AS (x float8, y int);
CREATE DOMAIN positive AS numeric(12, 3) CHECK (value > 0);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.t := 'touched'; RETURN NEW; END $$;
CREATE TABLE "Odd.Schema"."Mixed ""Case""" (
  "Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "select" text, padded char(12), "Ünï" varchar(9) DEFAULT 'it''s;',
  m mood, p "Odd.Schema".point3, d positive, f8 float8, arr text[], ts timestamptz, j json, b bytea,
  g text GENERATED ALWAYS AS (upper("select")) STORED, t text, EXCLUDE USING gist (int4range("Id"::int, "Id"::int, '[]') WITH &&));
INSERT INTO "Odd.Schema"."Mixed ""Case""" ("select", padded, m, p, d, f8, arr, ts, j, b, t)
SELECT CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '\N' WHEN 3 THEN E'tab\there\nnew\\line\rcr' ELSE '\.' END,
  'pad' || i, (enum_range(NULL::mood))[1 + i % 3], ROW(i / 7.0, i)::"Odd.Schema".point3, i, CASE i % 3 WHEN 0 THEN 'NaN' ELSE i / 3.0 END,
  ARRAY['a,b', NULL, 'q"x', E'back\\slash'], timestamptz '2025-03-30 00:30+00' + i * interval '1 hour', '{"b":  1}', '\x00ff', 'as it was'
  FROM generate_series(1, 40) i;
CREATE INDEX "idx; odd" ON "Odd.Schema"."Mixed ""Case""" (lower("select")) WHERE padded IS NOT NULL;
CREATE TRIGGER touches BEFORE INSERT ON "Odd.Schema"."Mixed ""Case""" FOR EACH ROW EXECUTE FUNCTION touch();
COMMENT ON TABLE "Odd.Schema"."Mixed ""Case""" IS 'a table; with -- a comment';
COMMENT ON COLUMN "Odd.Schema"."Mixed ""Case"""."Ünï" IS 'two
lines \! echo';
ALTER TABLE "Odd.Schema"."Mixed ""Case""" ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON "Odd.Schema"."Mixed ""Case""" USING (d > 1);
GRANT SELECT ON "Odd.Schema"."Mixed ""Case""" TO app_reader;
CREATE TABLE parted (id serial, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
CREATE TABLE parted_us PARTITION OF parted FOR VALUES IN ('us');
INSERT INTO parted (region) SELECT (ARRAY['eu', 'us'])[1 + i % 2] FROM generate_series(1, 30) i;
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, name text UNIQUE);
INSERT INTO tree SELECT i, CASE WHEN i > 1 THEN i / 2 END, 'n' || i FROM generate_series(1, 20) i;
CREATE TABLE keyless (a int, b text);
INSERT INTO keyless SELECT i % 3, NULL FROM generate_series(1, 9) i;
CREATE TABLE no_columns ();
CREATE TABLE none_left (id int PRIMARY KEY);
CREATE TABLE leaf (id int PRIMARY KEY, tree_id int CONSTRAINT leaf_tree REFERENCES tree);
INSERT INTO leaf SELECT i, i FROM generate_series(1, 20) i;
CREATE VIEW on_tree AS SELECT * FROM tree;
ALTER TABLE keyless OWNER TO app_reader; ALTER TABLE parted OWNER TO app_reader; ALTER TYPE mood OWNER TO app_reader;
ALTER DOMAIN positive OWNER TO app_reader; ALTER SCHEMA "Odd.Schema" OWNER TO app_reader;
'''
EVERYTHING_DROPPED = """
DROP SCHEMA "Odd.Schema" CASCADE;
DROP TYPE mood CASCADE;
DROP DOMAIN positive;
DROP TABLE parted, keyless, no_columns, none_left;
DROP TABLE tree CASCADE;
"""


@pytest.fixture(scope="module", autouse=True)
def _reader(scratch) -> None:  # type: ignore[no-untyped-def]
    scratch.run(
        "postgres",
        "DO $$ BEGIN CREATE ROLE app_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    )


@pytest.mark.parametrize("form", ["-Fp", "-Fc"])
def test_dropped_tables_come_back_as_the_backup_had_them(incident: Build, form: str) -> None:
    found = incident(EVERYTHING, EVERYTHING_DROPPED, form)
    after_incident = found.state()
    plan = found.plan(rehearse=True)
    assert plan.holds, (plan.problem, plan.rehearsal)
    said = found.run("recovery.sql")
    assert "Recovered" in said
    view = re.compile(r"on_tree")
    was = [line for line in found.state(found.before) if not view.search(line)]
    # A view over a dropped table is not made again, and says so.
    lost_view = set(found.state(found.before)) - set(found.state())
    assert lost_view <= {
        "CREATE VIEW public.on_tree AS",
        " SELECT id,",
        "    parent,",
        "    name",
        "   FROM public.tree;",
        "ALTER VIEW public.on_tree OWNER TO postgres;",
        "ALTER TABLE public.on_tree OWNER TO postgres;",
    }
    assert set(was) >= set(found.state())
    assert "on_tree" in (found.out / "runbook.md").read_text()
    again = found.state()
    assert "Nothing to do" in found.run("recovery.sql")
    assert found.state() == again
    found.run("undo.sql")
    assert found.state() == after_incident
    found.run("undo.sql")
    assert found.state() == after_incident


def test_what_cannot_return_is_left_out_and_nothing_is_overwritten(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    plan = found.plan()
    (target,) = plan.targets
    assert (target.rows, target.counts["blocked"]) == (54, 6)
    found.run("recovery.sql")
    assert (
        found.sql("SELECT count(*), count(*) FILTER (WHERE hotel_id = 'h3') FROM hotel_images")
        == "54|0"
    )
    assert found.sql("SELECT name FROM hotels WHERE id = 'h4'") == "renovated"
    assert (
        found.sql(
            "SELECT count(*) FROM pg_constraint WHERE conrelid = 'hotel_images'::regclass AND contype = 'f' AND convalidated"
        )
        == "2"
    )


def test_scripts_are_private(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    assert {
        p.name: p.stat().st_mode & 0o777 for p in found.out.iterdir() if p.stat().st_mode & 0o077
    } == {}


def test_rows_of_a_surviving_table_return_only_when_asked_for(incident: Build) -> None:
    found = incident(SHOP, "DELETE FROM hotel_images WHERE id <= 10")
    assert found.plan().targets == ()
    assert [(str(n), rows) for n, rows in found.plan().left] == [("hotel_images", 10)]
    assert found.plan().recommendation.startswith(
        "10 rows are missing, and no statement of a migration is known to have taken them"
    )
    before = found.state()
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, plan.rehearsal
    found.run("recovery.sql")
    assert found.state() == found.state(found.before)
    assert "Nothing to do" in found.run("recovery.sql")
    found.run("undo.sql")
    assert found.state() == before


def test_parents_return_before_their_children(incident: Build) -> None:
    found = incident(SHOP, "DELETE FROM hotels WHERE id IN ('h1', 'h2'); DROP TABLE hotel_images")
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, plan.rehearsal
    assert {str(t.name): (t.rows, t.blocked) for t in plan.targets} == {
        "hotels": (2, 0),
        "hotel_images": (60, 0),
    }
    found.run("recovery.sql")
    assert found.state() == found.state(found.before)


def test_a_table_without_a_key_gets_back_as_many_copies_as_it_lost(incident: Build) -> None:
    before = "CREATE TABLE tags (a text, b int); INSERT INTO tags SELECT 'x', i % 2 FROM generate_series(1, 10) i"
    found = incident(
        before, "DELETE FROM tags WHERE ctid IN (SELECT ctid FROM tags WHERE b = 1 LIMIT 3)"
    )
    after = found.state()
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, plan.rehearsal
    assert plan.rehearsal is not None
    assert (plan.rehearsal.lost_before, plan.rehearsal.lost_after) == (3, 0)
    for _ in range(2):
        found.run("recovery.sql")
        assert found.state() == found.state(found.before)
    for _ in range(2):
        found.run("undo.sql")
        assert found.state() == after


def test_the_application_s_triggers_sleep_and_wake_as_they_were(incident: Build) -> None:
    before = (
        SHOP
        + """
    CREATE TABLE log (what text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END $$;
    CREATE TRIGGER a AFTER INSERT OR DELETE ON hotel_images FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER b AFTER INSERT ON hotel_images FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER c AFTER INSERT ON hotel_images FOR EACH ROW EXECUTE FUNCTION note();
    ALTER TABLE hotel_images DISABLE TRIGGER b;
    ALTER TABLE hotel_images ENABLE ALWAYS TRIGGER c;
    """
    )
    found = incident(
        before,
        "ALTER TABLE hotel_images DISABLE TRIGGER a; DELETE FROM hotel_images WHERE id = 1; "
        "ALTER TABLE hotel_images ENABLE TRIGGER a",
    )
    found.plan(include_unexplained=True)
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM log") == "0"
    assert found.state() == found.state(found.before)


def test_a_role_that_is_gone_is_passed_over(incident: Build, scratch) -> None:  # type: ignore[no-untyped-def]
    scratch.run("postgres", "CREATE ROLE short_lived")
    found = incident(SHOP + "GRANT SELECT ON hotel_images TO short_lived", DROPPED)
    found.sql("DROP OWNED BY short_lived", found.before)
    scratch.run("postgres", "DROP ROLE short_lived")
    found.plan()
    assert "Role short_lived is not there" in found.run("recovery.sql")


def test_every_sequence_goes_on_past_the_rows(incident: Build) -> None:
    before = """
      CREATE SEQUENCE numbers;
      CREATE TABLE invoices (id serial PRIMARY KEY, number text DEFAULT 'INV-' || nextval('numbers'));
      CREATE TABLE kept (id int PRIMARY KEY, number text DEFAULT 'K-' || nextval('numbers'));
      CREATE TABLE down (id int GENERATED BY DEFAULT AS IDENTITY (INCREMENT BY -1) PRIMARY KEY);
      CREATE TABLE bounded (id smallint GENERATED BY DEFAULT AS IDENTITY (MAXVALUE 100) PRIMARY KEY);
      CREATE TABLE by_hand (id int PRIMARY KEY);
      CREATE SEQUENCE by_hand_no OWNED BY by_hand.id;
      INSERT INTO invoices SELECT FROM generate_series(1, 5); INSERT INTO kept SELECT i FROM generate_series(1, 5) i;
      INSERT INTO down SELECT FROM generate_series(1, 5);
      INSERT INTO bounded SELECT FROM generate_series(1, 5); INSERT INTO bounded VALUES (5000);
      INSERT INTO by_hand SELECT nextval('by_hand_no') FROM generate_series(1, 5);"""
    found = incident(
        before, "DROP TABLE invoices, down, bounded, by_hand; DELETE FROM kept WHERE id < 3"
    )
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, (plan.problem, plan.problems)
    found.run("recovery.sql")
    assert found.state() == found.state(found.before)  # where the sequences stand included


# --- values of dropped columns --------------------------------------------------------------------------

COLUMNS = r"""
CREATE TABLE items (a int, b text, title text, seen timestamptz DEFAULT now(), note text, PRIMARY KEY (b, a));
INSERT INTO items SELECT i, E'k\t' || i % 3, 't' || i, CASE WHEN i % 4 > 0 THEN timestamptz '2025-10-01 12:00+02' + i * interval '1 day' END,
  CASE WHEN i % 5 = 0 THEN E'back\\slash\n\\N' END FROM generate_series(1, 40) i;
CREATE TABLE log (at text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN NEW; END $$;
CREATE TRIGGER noted BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION note();
"""


@pytest.mark.parametrize("form", ["-Fp", "-Fc"])
def test_values_of_dropped_columns_return_on_request(incident: Build, form: str) -> None:
    change = "ALTER TABLE items DROP COLUMN seen, DROP COLUMN note; DELETE FROM items WHERE a = 7; INSERT INTO items VALUES (99, 'new', 'x')"
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
    # A column that is added to a table is added to those that inherit from it; checks may read other tables, by the search path.
    before = """
      CREATE TABLE parted (id int PRIMARY KEY, w text NOT NULL) PARTITION BY HASH (id);
      CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
      CREATE TABLE above (id int PRIMARY KEY, w text DEFAULT 'above');
      CREATE TABLE a_child (x int, PRIMARY KEY (id)) INHERITS (above);
      CREATE TABLE allowed (v text); INSERT INTO allowed VALUES ('v');
      CREATE FUNCTION fine(text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN EXISTS (SELECT FROM allowed WHERE v = $1); END $$;
      CREATE TABLE checked (id int PRIMARY KEY, v text CHECK (fine(v)), w text);
      INSERT INTO parted SELECT i, 'p' || i FROM generate_series(1, 5) i;
      INSERT INTO above SELECT i, 'a' || i FROM generate_series(1, 3) i; INSERT INTO a_child SELECT i, 'c' || i FROM generate_series(2, 5) i;
      INSERT INTO checked SELECT i, 'v', 'w' || i FROM generate_series(1, 5) i;
      CREATE SCHEMA kinds; CREATE TYPE mood AS ENUM ('sad', 'so so'); CREATE FUNCTION kinds.good(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
      CREATE DOMAIN kinds.level AS int CHECK (kinds.good(value)); CREATE TYPE kinds.levels AS RANGE (subtype = kinds.level); CREATE TYPE lost AS ENUM ('x');
      CREATE TABLE typed (id int PRIMARY KEY, m mood NOT NULL DEFAULT 'sad', l kinds.levels, x lost[], n int);
      INSERT INTO typed SELECT i, 'so so', kinds.levels(i, i + 2), '{x}', i FROM generate_series(1, 5) i;
      CREATE TABLE moody (id int PRIMARY KEY, m mood); INSERT INTO moody VALUES (1, 'sad');
      CREATE EXTENSION hstore; CREATE TABLE extended (id int PRIMARY KEY, h hstore DEFAULT hstore('a', 'b'), "Twice" int GENERATED ALWAYS AS (id * 2) STORED);
      INSERT INTO extended SELECT i FROM generate_series(1, 5) i;"""
    change = (
        "".join(f"ALTER TABLE {t} DROP COLUMN w;" for t in ("parted", "above", "checked"))
        + "DELETE FROM checked WHERE id = 1;"
    )
    change += (
        "ALTER TABLE typed DROP COLUMN m, DROP COLUMN x, DROP COLUMN n; DROP TABLE moody; DROP TYPE mood, lost; DROP SCHEMA kinds CASCADE;"
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
        'ALTER TABLE "public"."extended" ADD COLUMN "Twice" integer GENERATED ALWAYS AS (id * 2) STORED;'
    )
    assert plan.rehearsal is not None
    assert [n for n in plan.rehearsal.notes if "checked_v_check of checked was left aside" in n]
    ask = "SELECT 'p', id, w FROM parted UNION ALL SELECT tableoid::regclass::text, id, w FROM above UNION ALL SELECT v, id, w FROM checked "
    ask += "UNION ALL SELECT concat_ws(' ', m, l, x, n), id, pg_typeof(m) || ' ' || pg_typeof(l) FROM typed UNION ALL SELECT m::text, id, '' FROM moody UNION ALL SELECT 'h', id, h::text FROM extended ORDER BY 1, 2"
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
            problems = rehearse(work, (), copy, name, found.out).rehearsal.problems
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


# --- stops: live stays as it was, and the message says what to do ---------------------------------------


def test_stops_where_live_changed_since_it_was_compared(incident: Build) -> None:
    found = incident(SHOP, "DELETE FROM hotel_images WHERE id <= 10")
    found.plan(include_unexplained=True)
    found.sql("UPDATE hotel_images SET sort_order = 99 WHERE id = 20")
    said = found.refuses("recovery.sql")
    assert "hotel_images is not as it was when compared" in said
    assert "accept_changes=on" in said
    found.run("recovery.sql", "-v", "accept_changes=on")
    assert found.sql("SELECT count(*), max(sort_order) FROM hotel_images") == "60|99"


def test_without_live_at_hand_rows_are_counted(incident: Build) -> None:
    found = incident(SHOP, "DELETE FROM hotel_images WHERE id <= 10")
    found.plan(include_unexplained=True, live=False)
    found.sql("INSERT INTO hotel_images VALUES (1000, 'h1', 1, 0)")
    assert "hotel_images is not as it was when compared" in found.refuses("recovery.sql")


def test_stops_where_a_row_that_returns_is_there_already(incident: Build) -> None:
    found = incident(SHOP, "DELETE FROM hotel_images WHERE id <= 10")
    found.plan(include_unexplained=True)
    found.sql("INSERT INTO hotel_images VALUES (5, 'h9', 9, 77)")
    was = found.state()
    assert "1 of the 10 rows" in found.refuses("recovery.sql")
    assert "Recovered: 9 rows into public.hotel_images" in found.run(
        "recovery.sql", "-v", "accept_changes=on"
    )
    assert found.sql("SELECT count(*) FROM hotel_images") == "60"
    assert found.sql("SELECT sort_order FROM hotel_images WHERE id = 5") == "77"
    assert "1 recovered rows of table public.hotel_images were changed" in found.refuses("undo.sql")
    found.run("undo.sql", "-v", "accept_changes=on")
    assert found.state() == was


def test_rows_that_were_left_out_stay_out_when_it_runs_again(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    found.sql("DELETE FROM hotels WHERE id = 'h5'")
    assert "Recovered: 48 rows into public.hotel_images" in found.run(
        "recovery.sql", "-v", "accept_changes=on"
    )
    again = found.state()
    assert "Nothing to do" in found.run("recovery.sql", "-v", "accept_changes=on")
    assert found.state() == again
    assert "hold 48 of the 54 rows" in found.refuses("recovery.sql")


def test_stops_where_somebody_made_the_table_again(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    found.sql(
        "CREATE TABLE hotel_images (id int PRIMARY KEY, hotel_id text, asset_id int, sort_order int)"
    )
    assert "The dropped tables are there again" in found.refuses("recovery.sql")
    found.sql("ALTER TABLE hotel_images DROP COLUMN asset_id")
    assert (
        "Column public.hotel_images.asset_id is gone; it was there in the backup"
        in found.refuses("recovery.sql")
    )
    assert "changed since the recovery" in found.refuses("undo.sql")


def test_stops_where_something_else_took_the_name(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    found.sql("CREATE VIEW hotel_images AS SELECT 1 AS id")
    assert "is no table any more" in found.refuses("recovery.sql")


def test_stops_where_a_parent_row_is_gone(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    found.sql("DELETE FROM hotels WHERE id = 'h5'")
    said = found.refuses("recovery.sql")
    assert "6 of the 54 rows" in said
    assert "Compare again" in said
    assert "Recovered" in found.run("recovery.sql", "-v", "accept_changes=on")
    assert found.sql("SELECT count(*) FROM hotel_images") == "48"
    found.run("undo.sql")


def test_stops_where_a_parent_table_is_gone(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    found.sql("DROP TABLE assets")
    assert "Table public.assets is gone" in found.refuses("recovery.sql")


def test_stops_where_a_column_changed_its_type(incident: Build) -> None:
    found = incident(SHOP, "DELETE FROM hotel_images WHERE id <= 10")
    found.plan(include_unexplained=True)
    found.sql("ALTER TABLE hotel_images ALTER COLUMN sort_order TYPE text")
    said = found.refuses("recovery.sql")
    assert "sort_order is text; it was integer when compared" in said
    assert "sort_order is text" in found.refuses("undo.sql")
    found.sql("DROP TABLE hotel_images")
    assert "Take its rows back by hand" in found.refuses("undo.sql")


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        (
            "ALTER TABLE hotel_images ADD CONSTRAINT late CHECK (sort_order > 5)",
            ("check constraint late", "(1, h2, 2, 1)"),
        ),
        (
            "CREATE UNIQUE INDEX one_cover ON hotel_images (hotel_id) WHERE sort_order < 12",
            ("one_cover", "(h2)"),
        ),
    ],
)
def test_stops_where_a_constraint_is_in_the_way(
    incident: Build, constraint: str, said: tuple[str, str]
) -> None:
    found = incident(SHOP, f"DELETE FROM hotel_images WHERE id <= 10; {constraint}")
    found.plan(include_unexplained=True)
    words = found.refuses("recovery.sql")
    for word in ("hotel_images", *said, "recover --rehearse", "Nothing was changed"):
        assert word in words


def test_a_deferred_constraint_is_no_obstacle(incident: Build) -> None:
    change = "ALTER TABLE hotel_images ADD UNIQUE (sort_order) DEFERRABLE INITIALLY DEFERRED; DELETE FROM hotel_images WHERE id <= 10"
    found = incident(SHOP, change)
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, (plan.problem, plan.problems)
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM hotel_images") == "60"
    found.sql(
        "DELETE FROM hotel_images WHERE id <= 10; INSERT INTO hotel_images VALUES (99, 'h1', 1, 3)"
    )
    assert "hotel_images_sort_order_key" in found.refuses("recovery.sql", "-v", "accept_changes=on")


def test_rows_that_collide_under_a_key_that_may_be_deferred_are_found_out(incident: Build) -> None:
    before = """CREATE TABLE late (id int PRIMARY KEY, c text UNIQUE DEFERRABLE INITIALLY DEFERRED, d int UNIQUE DEFERRABLE);
      INSERT INTO late SELECT i, i, i FROM generate_series(1, 60) i"""
    found = incident(
        before,
        "DELETE FROM late WHERE id <= 40; INSERT INTO late VALUES (101, '7', -1), (102, 'x', 23), (103, '30', 31)",
    )
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, (plan.problem, plan.problems)
    assert [(t.rows, t.counts["conflicting"]) for t in plan.targets] == [(36, 4)]
    found.run("recovery.sql")
    assert (
        found.sql(
            "SELECT string_agg(i::text, ' ') FROM generate_series(1, 60) i WHERE i NOT IN (SELECT id FROM late)"
        )
        == "7 23 30 31"
    )


def test_stops_where_it_is_cut_off(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    script = (found.out / "recovery.sql").read_text()
    was = found.state()
    for place in ("30\th1", "PERFORM pg_temp.put(", "COMMIT;"):
        assert place in script
        (found.out / "recovery.sql").write_text(script[: script.index(place)])
        found.psql("recovery.sql")
        assert found.state() == was


def test_values_that_no_longer_fit_conflict(incident: Build) -> None:
    found = incident(
        SHOP,
        """DELETE FROM assets WHERE id = 1;
      INSERT INTO assets VALUES (100, 'a1'); ALTER TABLE assets ADD UNIQUE (url);
      UPDATE hotels SET name = 'x' WHERE id = 'h1'; ALTER TABLE hotel_images ADD COLUMN need int; UPDATE hotel_images SET need = 1;
      ALTER TABLE hotel_images ALTER COLUMN need SET NOT NULL""",
    )
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, plan.rehearsal
    assert {str(t.name): t.counts["conflicting"] for t in plan.targets} == {
        "assets": 1,
        "hotel_images": 3,
    }
    assert plan.rehearsal is not None
    assert plan.rehearsal.lost_after == plan.rehearsal.blocked == 4


# --- undo refuses -----------------------------------------------------------------------------------------


def test_undo_refuses_where_the_application_uses_what_came_back(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    found.run("recovery.sql")
    found.sql("INSERT INTO hotel_images VALUES (999, 'h1', 1, 1)")
    assert "holds 1 rows that the recovery did not write" in found.refuses("undo.sql")
    found.sql(
        "DELETE FROM hotel_images WHERE id = 999; UPDATE hotel_images SET sort_order = -1 WHERE id = 7"
    )
    assert "were changed since" in found.refuses("undo.sql")


def test_undo_takes_nothing_with_it_that_stands_on_what_came_back(incident: Build) -> None:
    before = """
      CREATE TABLE tree (id int PRIMARY KEY, above int REFERENCES tree ON DELETE CASCADE);
      CREATE TABLE codes (code text UNIQUE, above text REFERENCES codes (code) ON DELETE CASCADE);
      CREATE TABLE gone (id int PRIMARY KEY);
      INSERT INTO tree VALUES (1, NULL), (2, 1); INSERT INTO codes VALUES ('a', NULL), ('b', 'a'); INSERT INTO gone VALUES (1);"""
    found = incident(before, "DELETE FROM tree; DELETE FROM codes; DROP TABLE gone")
    after = found.state()
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, (plan.problem, plan.problems)
    found.run("recovery.sql")
    for use, stop in (
        (
            "INSERT INTO tree VALUES (3, 2)",
            "1 rows of table public.tree refer to rows of table public.tree",
        ),
        (
            "CREATE TABLE more (code text REFERENCES codes (code) ON DELETE CASCADE); INSERT INTO more VALUES ('b')",
            "1 rows of table public.more refer",
        ),
        (
            "CREATE VIEW seen AS TABLE gone",
            "Something stands on what the recovery made: cannot drop table public.gone",
        ),
    ):
        found.sql(use)
        said = found.refuses("undo.sql")
        assert stop in said
        assert "CASCADE" not in said
        found.sql(
            "DELETE FROM tree WHERE id = 3; DROP TABLE IF EXISTS more; DROP VIEW IF EXISTS seen"
        )
    found.run("undo.sql")
    assert found.state() == after


def test_a_table_that_is_long_in_use_is_named_with_what_to_do(incident: Build) -> None:
    found = incident(SHOP, "DELETE FROM hotel_images WHERE id <= 10")
    found.plan(include_unexplained=True)
    (found.out / "recovery.sql").write_text(
        (found.out / "recovery.sql")
        .read_text()
        .replace("lock_timeout = '5s'", "lock_timeout = '50ms'")
    )
    with psycopg.connect(found.dsn) as other:
        other.execute("UPDATE hotel_images SET sort_order = 1")
        said = found.refuses("recovery.sql")
    assert "public.hotel_images for too long: it could not be locked within 50ms" in said
    assert "pg_stat_activity" in said


def test_undo_refuses_where_rows_refer_to_recovered_ones(incident: Build) -> None:
    found = incident(
        SHOP + "CREATE TABLE bookings (id int, hotel_id text REFERENCES hotels ON DELETE CASCADE)",
        "DELETE FROM hotels WHERE id = 'h2'",
    )
    found.plan(include_unexplained=True)
    found.run("recovery.sql")
    found.sql("INSERT INTO bookings VALUES (1, 'h2')")
    assert "1 rows of table public.bookings refer to rows" in found.refuses("undo.sql")
    found.sql("DELETE FROM bookings; UPDATE hotels SET name = 'new' WHERE id = 'h2'")
    assert "were changed since" in found.refuses("undo.sql")


def test_undo_leaves_what_the_application_wrote_beside_what_came_back(incident: Build) -> None:
    before = """CREATE TABLE keyed (id int PRIMARY KEY, v text); INSERT INTO keyed SELECT i, 'v' FROM generate_series(1, 9) i; CREATE TABLE bare AS SELECT 'x' AS v FROM keyed;
      CREATE TABLE gone (id serial PRIMARY KEY); INSERT INTO gone VALUES (1);
      CREATE FUNCTION gone_id(gone) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.id'; CREATE INDEX ON gone (gone_id(gone)); CREATE TABLE drawn (id int DEFAULT nextval('gone_id_seq')); CREATE TABLE of_gone (id int CONSTRAINT to_gone REFERENCES gone)"""
    change = """DELETE FROM keyed WHERE id > 5; DELETE FROM bare WHERE ctid > '(0,3)'; ALTER TABLE keyed ADD stars int NOT NULL DEFAULT 0, ADD label varchar(9) DEFAULT 'it''s',
      ADD seen timestamptz DEFAULT now(); ALTER TABLE bare ADD hits numeric(5, 1) DEFAULT 1.5; DROP TABLE gone CASCADE"""
    found = incident(before, change)
    after = found.state()
    found.plan(include_unexplained=True, rehearse=True)
    found.run("recovery.sql")
    for use, stop, back in (
        (
            "UPDATE keyed SET stars = 5 WHERE id = 7",
            "1 recovered rows of table public.keyed were changed since",
            "UPDATE keyed SET stars = 0",
        ),
        (
            "UPDATE keyed SET label = NULL WHERE id > 7",
            "2 recovered rows of table public.keyed",
            "UPDATE keyed SET label = 'it''s'",
        ),
        (
            "ALTER TABLE keyed DROP CONSTRAINT keyed_pkey; INSERT INTO keyed VALUES (7, 'v')",
            "holds rows twice under the keys of recovered ones",
            "DELETE FROM keyed WHERE ctid = (SELECT max(ctid) FROM keyed WHERE id = 7); ALTER TABLE keyed ADD PRIMARY KEY (id)",
        ),
        (
            "UPDATE bare SET hits = 2 WHERE ctid > '(0,2)'",
            "Recovered rows of table public.bare were changed since, in columns",
            "UPDATE bare SET hits = 1.5",
        ),
        (
            "CREATE VIEW seen AS SELECT gone_id(g) FROM gone g",
            "seen uses function",
            "DROP VIEW seen",
        ),
        (
            "ALTER TABLE gone ADD mine text",
            "has a column mine that it did not come back with",
            "ALTER TABLE gone DROP mine",
        ),
    ):
        found.sql(use)
        assert stop in found.refuses("undo.sql")
        found.sql(back)
    # An original that was written to is no copy that came back, and a foreign key of the same name is not the restored one.
    found.sql("UPDATE bare SET hits = 2 WHERE ctid = (SELECT max(ctid) FROM bare)")
    found.sql(
        "ALTER TABLE of_gone DROP CONSTRAINT to_gone; CREATE TABLE new (id int PRIMARY KEY); ALTER TABLE of_gone ADD CONSTRAINT to_gone FOREIGN KEY (id) REFERENCES new; ALTER TABLE drawn ALTER id SET DEFAULT 5"
    )
    for _ in range(2):
        found.run("undo.sql")
        assert found.sql("SELECT hits FROM bare ORDER BY 1") == "1.5\n1.5\n2.0"
        assert (
            found.sql("SELECT confrelid::regclass FROM pg_constraint WHERE conname = 'to_gone'")
            == "new"
        )
    found.sql(
        "UPDATE bare SET hits = 1.5; INSERT INTO drawn DEFAULT VALUES; DROP TABLE new CASCADE"
    )
    assert found.sql("DELETE FROM drawn RETURNING id").split()[0] == "5"
    found.sql("ALTER TABLE drawn ALTER id DROP DEFAULT")
    assert found.state() == after


def test_a_folder_that_cannot_be_written(incident: Build, tmp_path: Path) -> None:
    found = incident(SHOP, DROPPED)
    (tmp_path / "file").write_text("")
    found.out = tmp_path / "file" / "out"
    with pytest.raises(ForensicsError, match="cannot be"):
        found.plan()
