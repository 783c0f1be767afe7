"""undo.sql on a real server: what it takes back, and where it refuses."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from tests.recovery.conftest import Incident
from tests.recovery.incidents import DROPPED, SHOP

Build = Callable[..., Incident]


def test_undo_refuses_where_the_application_uses_what_came_back(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    found.run("recovery.sql")
    found.sql("INSERT INTO hotel_images VALUES (999, 'h1', 1, 1)")
    assert "holds 1 rows that the recovery did not write" in found.refuses("undo.sql")
    found.sql(
        "DELETE FROM hotel_images WHERE id = 999; "
        "UPDATE hotel_images SET sort_order = -1 WHERE id = 7"
    )
    assert "were changed since" in found.refuses("undo.sql")


def test_undo_takes_nothing_with_it_that_stands_on_what_came_back(incident: Build) -> None:
    before = """
      CREATE TABLE tree (id int PRIMARY KEY, above int REFERENCES tree ON DELETE CASCADE);
      CREATE TABLE codes (code text UNIQUE, above text REFERENCES codes (code) ON DELETE CASCADE);
      CREATE TABLE gone (id int PRIMARY KEY);
      INSERT INTO tree VALUES (1, NULL), (2, 1); INSERT INTO codes VALUES ('a', NULL), ('b', 'a');
      INSERT INTO gone VALUES (1);"""
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
            "CREATE TABLE more (code text REFERENCES codes (code) ON DELETE CASCADE); "
            "INSERT INTO more VALUES ('b')",
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
    before = """CREATE TABLE keyed (id int PRIMARY KEY, v text);
    INSERT INTO keyed SELECT i, 'v' FROM generate_series(1, 9) i;
    CREATE TABLE bare AS SELECT 'x' AS v FROM keyed;
      CREATE TABLE gone (id serial PRIMARY KEY); INSERT INTO gone VALUES (1);
      CREATE FUNCTION gone_id(gone) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.id';
      CREATE INDEX ON gone (gone_id(gone));
      CREATE TABLE drawn (id int DEFAULT nextval('gone_id_seq'));
      CREATE TABLE of_gone (id int CONSTRAINT to_gone REFERENCES gone)"""
    change = """DELETE FROM keyed WHERE id > 5; DELETE FROM bare WHERE ctid > '(0,3)';
    ALTER TABLE keyed ADD stars int NOT NULL DEFAULT 0, ADD label varchar(9) DEFAULT 'it''s',
      ADD seen timestamptz DEFAULT now(); ALTER TABLE bare ADD hits numeric(5, 1) DEFAULT 1.5;
      DROP TABLE gone CASCADE"""
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
            (
                "DELETE FROM keyed WHERE ctid = (SELECT max(ctid) FROM keyed WHERE id = 7); "
                "ALTER TABLE keyed ADD PRIMARY KEY (id)"
            ),
        ),
        (
            "UPDATE bare SET hits = 2 WHERE ctid > '(0,2)'",
            "Recovered rows of table public.bare, which has no key, are not there as",
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
    # An original that was written to is no copy that came back, and a foreign key of the same
    # name is not the restored one.
    found.sql("UPDATE bare SET hits = 2 WHERE ctid = (SELECT max(ctid) FROM bare)")
    found.sql(
        "ALTER TABLE of_gone DROP CONSTRAINT to_gone; CREATE TABLE new (id int PRIMARY KEY); "
        "ALTER TABLE of_gone ADD CONSTRAINT to_gone FOREIGN KEY (id) REFERENCES new; "
        "ALTER TABLE drawn ALTER id SET DEFAULT 5"
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


def test_sequences_step_back_unless_they_gave_something_out(incident: Build) -> None:
    before = """
        CREATE TABLE tickets (id serial PRIMARY KEY, label text);
        CREATE TABLE seats (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, label text);
        INSERT INTO tickets (label) SELECT 't' || i FROM generate_series(1, 9) i;
        INSERT INTO seats (label) SELECT 's' || i FROM generate_series(1, 9) i;
    """
    change = """
        TRUNCATE tickets, seats RESTART IDENTITY;
        INSERT INTO tickets (id, label) VALUES (20, 'by hand');
    """
    found = incident(before, change)
    found.plan(include_unexplained=True)
    was = found.state()
    found.run("recovery.sql")
    assert found.sql("SELECT last_value FROM seats_id_seq") == "9"
    found.run("undo.sql")
    drawn = "SELECT last_value, is_called FROM seats_id_seq"
    assert found.sql(drawn) == "1|f"
    # A number that was given by hand is not given out again.
    assert found.sql("SELECT last_value FROM tickets_id_seq") == "20"
    assert [x for x in found.state() if "tickets_id_seq'" not in x] == [
        x for x in was if "tickets_id_seq'" not in x
    ]
    found.run("recovery.sql")
    found.sql("INSERT INTO seats (label) VALUES ('since'); DELETE FROM seats WHERE label = 'since'")
    assert "Sequence public.seats_id_seq stays at 10" in found.run("undo.sql")
    assert found.sql(drawn) == "10|t"
