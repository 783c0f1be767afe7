"""A live that goes on: what it wrote is held against the rows that return, and the rest goes in."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable

import psycopg

from tests.recovery.conftest import Incident

Build = Callable[..., Incident]

TEAMS = """
CREATE TABLE teams (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE players (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE team_players (id serial PRIMARY KEY, team_id int NOT NULL REFERENCES teams ON DELETE
  CASCADE, player_id int NOT NULL REFERENCES players ON DELETE CASCADE, shirt int);
CREATE TABLE goals (team text, minute int);
INSERT INTO teams SELECT i, 'team ' || i FROM generate_series(1, 6) i;
INSERT INTO players SELECT i, 'player ' || i FROM generate_series(1, 40) i;
INSERT INTO team_players (team_id, player_id, shirt) SELECT 1 + i % 6, i, i
  FROM generate_series(1, 40) i;
INSERT INTO goals SELECT 'team ' || i % 6, i % 9 FROM generate_series(1, 30) i;
"""
GONE = """
DELETE FROM team_players WHERE team_id IN (1, 2); DELETE FROM teams WHERE id = 2;
DELETE FROM goals WHERE team = 'team 3';
"""
ACCEPT = ("-v", "accept_changes=on")


def test_a_link_that_was_made_again_is_not_doubled(incident: Build) -> None:
    found = incident(TEAMS, GONE)
    plan = found.plan(include_unexplained=True)
    rows = {target.name.table: target.rows for target in plan.targets}
    assert rows["team_players"] == 13
    found.sql("INSERT INTO team_players (id, team_id, player_id, shirt) VALUES (900, 1, 6, 6)")
    assert "made again under another key" in found.refuses("recovery.sql")
    said = found.run("recovery.sql", *ACCEPT)
    assert "made again under another key" in said
    assert "Recovered: 5 rows into public.goals" in said
    pairs = "SELECT count(*), count(DISTINCT (team_id, player_id)) FROM team_players"
    assert found.sql(pairs) == "40|40"


def test_what_refers_to_a_key_that_was_given_to_another_row_does_not_lead_there(
    incident: Build,
) -> None:
    found = incident(TEAMS, GONE)
    found.plan(include_unexplained=True)
    found.sql("INSERT INTO teams VALUES (2, 'another team')")
    found.refuses("recovery.sql")
    said = found.run("recovery.sql", *ACCEPT)
    assert "another row of public.teams stands under the key that it refers to" in said
    assert found.sql("SELECT name FROM teams WHERE id = 2") == "another team"
    assert found.sql("SELECT count(*) FROM team_players WHERE team_id = 2") == "0"
    assert found.sql("SELECT count(*) FROM team_players WHERE team_id = 1") == "6"


def test_equal_rows_without_a_key_are_not_doubled_where_their_table_changed(
    incident: Build,
) -> None:
    found = incident(TEAMS, GONE)
    found.plan(include_unexplained=True)
    minute = found.sql("SELECT max(minute) FROM goals WHERE team = 'team 3'", found.before)
    found.sql(f"INSERT INTO goals VALUES ('team 3', {minute}), ('team 9', 1)")
    assert "its table has no key" in found.refuses("recovery.sql")
    found.run("recovery.sql", *ACCEPT)
    once = found.state()
    lines = "SELECT team, minute FROM goals WHERE team = 'team 3' ORDER BY 1, 2"
    assert found.sql(lines) == found.sql(lines, found.before)
    found.run("recovery.sql", *ACCEPT)
    assert found.state() == once


def test_writers_beside_it_lose_nothing_and_stop_nothing(incident: Build) -> None:
    found = incident(TEAMS, GONE)
    found.plan(include_unexplained=True)
    done = threading.Event()
    written: list[int] = []

    def write() -> None:
        with psycopg.connect(found.dsn, autocommit=True) as session:
            for n in range(1000, 100_000):
                if done.is_set():
                    return
                session.execute("INSERT INTO players VALUES (%s, 'new')", [n])
                session.execute(
                    "INSERT INTO team_players (id, team_id, player_id) VALUES (%s, 3, %s)", [n, n]
                )
                session.execute("UPDATE teams SET name = name || '.' WHERE id = 4")
                written.append(n)

    writers = threading.Thread(target=write)
    writers.start()
    while len(written) < 5:
        time.sleep(0.01)
    outcome: subprocess.CompletedProcess[str] = found.psql("recovery.sql")
    done.set()
    writers.join()
    assert outcome.returncode == 0, outcome.stderr
    assert found.sql("SELECT count(*) FROM team_players WHERE id < 1000") == "40"
    assert found.sql("SELECT count(*) FROM team_players WHERE id >= 1000") == str(len(written))
    assert found.sql("SELECT count(*) FROM goals WHERE team = 'team 3'") == "5"
