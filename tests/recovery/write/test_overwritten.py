"""Overwritten values come back where live still holds what was written over them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from forensics import cli
from forensics.cli.voice import app
from forensics.errors import UsageError
from tests.recovery.conftest import Incident

ORDERS = """
CREATE TABLE towns (id int PRIMARY KEY, name text);
INSERT INTO towns SELECT i, 'town ' || i FROM generate_series(1, 8) i;
CREATE TABLE log (what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN INSERT INTO log VALUES ('seen'); RETURN NEW; END $$;
CREATE TABLE orders (shop int, "No" bigint GENERATED ALWAYS AS IDENTITY, state text NOT NULL,
  memo varchar(30), price numeric(10, 2), details json, town int REFERENCES towns ON DELETE SET
  NULL, doubled numeric GENERATED ALWAYS AS (price * 2) STORED, PRIMARY KEY (shop, "No"));
INSERT INTO orders (shop, state, memo, price, details, town)
SELECT i % 3, (ARRAY['open', 'held', 'sent'])[1 + i % 3], 'memo ' || i, i * 1.37,
  json_build_object('n', i), 1 + i % 8 FROM generate_series(1, 60) i;
CREATE TRIGGER audit AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER always AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER off AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE orders ENABLE ALWAYS TRIGGER always;
ALTER TABLE orders DISABLE TRIGGER off;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
"""
Build = Callable[..., Incident]

cli.register()


def _cells(found: Incident, database: str | None = None) -> str:
    columns = 'shop, "No", state, memo, price, details::text, town, doubled'
    return found.sql(f"SELECT {columns} FROM orders ORDER BY 1, 2", database)


PATTERNS = {
    "blanked": ("memo = NULL", "memo = 'by hand'"),
    "constant": ("state = 'void'", "state = 'by hand'"),
    "copied": ("memo = state", "memo = 'by hand'"),
    "computed": ("price = round(price)", "price = 0.77"),
    "details": ("details = '{}'", "details = '[1]'"),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_all_but_what_was_written_since_comes_back(incident: Build, pattern: str) -> None:
    harm, later = PATTERNS[pattern]
    change = f'UPDATE orders SET {harm}; UPDATE orders SET {later} WHERE "No" <= 4'
    found = incident(ORDERS, change)
    plan = found.plan(rehearse=True)
    assert plan.holds, plan.problems
    option = plan.options[-1]
    (told,) = plan.as_json()["overwritten"]
    assert option.name == "restore overwritten values"
    assert option.verified
    assert option.recovers == told["back"] > 50
    assert told["kept"] == 4
    assert "not fired: always, audit" in " ".join(option.caveats)
    before, logged = found.state(), found.sql("SELECT count(*) FROM log")
    found.run("recovery.sql")
    by_hand = found.sql('SELECT count(*) FROM orders WHERE "No" <= 4')
    assert by_hand == "4"
    rest = _cells(found).splitlines()
    meant = _cells(found, found.before).splitlines()
    differing = [now for now, then in zip(rest, meant, strict=True) if now != then]
    assert len(differing) == 4
    assert found.sql("SELECT count(*) FROM log") == logged
    modes = (
        "SELECT string_agg(tgenabled, '' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal"
    )
    assert found.sql(modes) == "AOD"
    found.run("recovery.sql")
    found.run("undo.sql")
    assert found.state() == before


def test_what_live_was_given_after_the_comparison_stays(incident: Build) -> None:
    found = incident(ORDERS, "UPDATE orders SET state = 'void'")
    found.plan()
    found.sql("""UPDATE orders SET state = 'paid' WHERE "No" = 7""")
    said = found.run("recovery.sql")
    assert ": 1" in said
    assert found.sql("""SELECT state FROM orders WHERE "No" = 7""") == "paid"
    assert found.sql("SELECT count(*) FROM orders WHERE state = 'void'") == "0"
    found.sql("""UPDATE orders SET state = 'late' WHERE "No" = 8""")
    found.run("undo.sql")
    kept = "SELECT count(*) FROM orders WHERE state IN ('paid', 'late')"
    assert found.sql(kept) == "2"
    assert found.sql("SELECT count(*) FROM orders WHERE state = 'void'") == "58"


def test_references_return_with_their_parents(incident: Build) -> None:
    found = incident(ORDERS, "DELETE FROM towns WHERE id IN (2, 5)")
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, plan.problems
    before = found.state()
    found.run("recovery.sql")
    assert _cells(found) == _cells(found, found.before)
    found.run("undo.sql")
    assert found.state() == before


def test_references_to_what_stays_away_are_blocked(incident: Build) -> None:
    found = incident(ORDERS, "DELETE FROM towns WHERE id IN (2, 5)")
    plan = found.plan(rehearse=True)
    assert plan.holds, plan.problems
    (told,) = plan.as_json()["overwritten"]
    assert (told["back"], told["blocked"]) == (0, 16)
    assert "towns" in told["reasons"][0]["reason"]


def test_values_that_live_refuses_are_blocked(incident: Build) -> None:
    before = """
    CREATE TABLE users (id int PRIMARY KEY, mail text UNIQUE, plan text, age int);
    INSERT INTO users SELECT i, 'u' || i, 'plan ' || i, i FROM generate_series(1, 30) i;
    """
    change = """
    UPDATE users SET mail = NULL, plan = 'free', age = 0;
    INSERT INTO users VALUES (99, 'u3', 'free', 0);
    ALTER TABLE users ALTER plan TYPE varchar(6), ADD CHECK (age < 28);
    """
    found = incident(before, change)
    plan = found.plan(rehearse=True)
    assert plan.holds, plan.problems
    option = plan.options[-1]
    # Rows 3 (taken), 10 to 30 (cut by the type) and, among these, 28 to 30 (the check).
    assert (option.recovers, option.blocked) == (24, 66)
    state = found.state()
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM users WHERE mail = 'u' || id AND age = id") == "8"
    found.run("undo.sql")
    assert found.state() == state


def test_values_are_cast_and_partitions_found(incident: Build) -> None:
    before = """
    CREATE TABLE readings (id int, region text, level int, seen timestamptz,
      PRIMARY KEY (id, region)) PARTITION BY LIST (region);
    CREATE TABLE readings_eu PARTITION OF readings FOR VALUES IN ('eu');
    CREATE TABLE readings_us PARTITION OF readings FOR VALUES IN ('us');
    INSERT INTO readings SELECT i, (ARRAY['eu', 'us'])[1 + i % 2], i * 7,
      timestamptz '2025-01-01Z' + i * interval '1 hour' FROM generate_series(1, 40) i;
    """
    change = """
    ALTER TABLE readings ALTER level TYPE numeric(12, 2), ALTER id TYPE bigint;
    UPDATE readings SET level = -1;
    """
    found = incident(before, change)
    plan = found.plan(rehearse=True)
    assert plan.holds, plan.problems
    assert plan.options[-1].recovers == 40
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM readings WHERE level = id * 7") == "40"


def test_triggers_fire_where_that_is_wished(incident: Build) -> None:
    found = incident(ORDERS, "UPDATE orders SET state = 'void'")
    logged = int(found.sql("SELECT count(*) FROM log"))
    found.plan(fire_triggers=True)
    found.run("recovery.sql")
    assert int(found.sql("SELECT count(*) FROM log")) == logged + 120


def test_columns_narrow_it(incident: Build) -> None:
    found = incident(ORDERS, "UPDATE orders SET state = 'void', memo = NULL")
    plan = found.plan(values=("orders.memo",))
    (told,) = plan.as_json()["overwritten"]
    assert told["column"] == "memo"
    with pytest.raises(UsageError, match=r"orders\.mem") as error:
        found.plan(values=("orders.mem",))
    assert "orders.memo" in str(error.value.hint)


def test_ordinary_life_has_no_such_option(incident: Build) -> None:
    found = incident(ORDERS, """UPDATE orders SET memo = 'new ' || "No" WHERE "No" < 20""")
    plan = found.plan()
    assert [option.name for option in plan.options][-1] == "backfill"
    assert plan.as_json()["overwritten"] == []


def test_the_command_takes_names_behind_columns(incident: Build) -> None:
    found = incident(ORDERS, "UPDATE orders SET state = 'void', memo = NULL")
    folder = str(found.case.store.folder)
    options = [folder, "--out", str(found.out), "--json", "--columns"]
    done = CliRunner().invoke(app, ["recover", *options, "orders.memo,public.orders.state"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["overwritten"]
    assert sorted(one["column"] for one in told) == ["memo", "state"]
    done = CliRunner().invoke(app, ["recover", *options, "orders.nemo"])
    assert done.exit_code == 2
    assert "orders.memo" in done.stdout
