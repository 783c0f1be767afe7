"""recovery.sql on a real server, held against dumps of the whole database before and after."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.errors import ForensicsError
from tests.recovery.conftest import Incident, left
from tests.recovery.incidents import DROPPED, EVERYTHING, EVERYTHING_DROPPED, SHOP

Build = Callable[..., Incident]


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
            "SELECT count(*) FROM pg_constraint "
            "WHERE conrelid = 'hotel_images'::regclass AND contype = 'f' AND convalidated"
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
    assert left(found.plan()) == {"hotel_images": 10}
    assert found.plan().recommendation.startswith("10 rows are missing, and cause has not run")
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
    before = (
        "CREATE TABLE tags (a text, b int); "
        "INSERT INTO tags SELECT 'x', i % 2 FROM generate_series(1, 10) i"
    )
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
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END $$;
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
      CREATE TABLE invoices (id serial PRIMARY KEY,
        number text DEFAULT 'INV-' || nextval('numbers'));
      CREATE TABLE kept (id int PRIMARY KEY, number text DEFAULT 'K-' || nextval('numbers'));
      CREATE TABLE down (id int GENERATED BY DEFAULT AS IDENTITY (INCREMENT BY -1) PRIMARY KEY);
      CREATE TABLE bounded (id smallint GENERATED BY DEFAULT AS IDENTITY (MAXVALUE 100) PRIMARY
        KEY);
      CREATE TABLE by_hand (id int PRIMARY KEY);
      CREATE SEQUENCE by_hand_no OWNED BY by_hand.id;
      INSERT INTO invoices SELECT FROM generate_series(1, 5);
      INSERT INTO kept SELECT i FROM generate_series(1, 5) i;
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


# --- stops: live stays as it was, and the message says what to do -----------------------------


@pytest.mark.parametrize("live", [True, False])
def test_what_the_application_wrote_beside_the_rows_is_no_obstacle(
    incident: Build, live: bool
) -> None:
    found = incident(SHOP, "DELETE FROM hotel_images WHERE id <= 10")
    found.plan(include_unexplained=True, live=live)
    found.sql("UPDATE hotel_images SET sort_order = 99 WHERE id = 20")
    found.sql("INSERT INTO hotel_images VALUES (1000, 'h1', 1, 98)")
    was = found.state()
    assert "Recovered: 10 rows" in found.run("recovery.sql")
    assert found.sql("SELECT count(*), max(sort_order) FROM hotel_images") == "61|99"
    found.run("undo.sql")
    assert found.state() == was


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
        "CREATE TABLE hotel_images (id int PRIMARY KEY, hotel_id text, asset_id int, "
        "sort_order int)"
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
    change = (
        "ALTER TABLE hotel_images ADD UNIQUE (sort_order) DEFERRABLE INITIALLY DEFERRED; "
        "DELETE FROM hotel_images WHERE id <= 10"
    )
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
    before = """CREATE TABLE late (id int PRIMARY KEY,
      c text UNIQUE DEFERRABLE INITIALLY DEFERRED, d int UNIQUE DEFERRABLE);
      INSERT INTO late SELECT i, i, i FROM generate_series(1, 60) i"""
    found = incident(
        before,
        (
            "DELETE FROM late WHERE id <= 40; "
            "INSERT INTO late VALUES (101, '7', -1), (102, 'x', 23), (103, '30', 31)"
        ),
    )
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, (plan.problem, plan.problems)
    assert [(t.rows, t.counts["conflicting"]) for t in plan.targets] == [(36, 4)]
    found.run("recovery.sql")
    assert (
        found.sql(
            "SELECT string_agg(i::text, ' ') FROM generate_series(1, 60) i "
            "WHERE i NOT IN (SELECT id FROM late)"
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
      UPDATE hotels SET name = 'x' WHERE id = 'h1'; ALTER TABLE hotel_images ADD COLUMN need int;
      UPDATE hotel_images SET need = 1;
      ALTER TABLE hotel_images ALTER COLUMN need SET NOT NULL""",
    )
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, plan.rehearsal
    # The asset stands under another key, equal in all else: it is not lost.
    assert {str(t.name): t.counts["conflicting"] for t in plan.targets} == {"hotel_images": 3}
    assert plan.rehearsal is not None
    assert plan.rehearsal.lost_after == plan.rehearsal.blocked == 3


def test_a_folder_that_cannot_be_written(incident: Build, tmp_path: Path) -> None:
    found = incident(SHOP, DROPPED)
    (tmp_path / "file").write_text("")
    found.out = tmp_path / "file" / "out"
    with pytest.raises(ForensicsError, match="cannot be"):
        found.plan()


def test_no_script_needs_md5_which_some_servers_refuse(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan(include_unexplained=True)
    for script in ("recovery.sql", "undo.sql", "check.sql"):
        assert "md5(" not in (found.out / script).read_text()
    # Where calls of it fail, everything still runs: public comes first in the path of the session.
    found.sql(
        "CREATE FUNCTION public.md5(text) RETURNS text LANGUAGE plpgsql "
        "AS $$ BEGIN RAISE EXCEPTION 'could not compute MD5 hash: unsupported'; END $$"
    )
    found.run("recovery.sql")
    found.run("check.sql")
    found.run("undo.sql")
