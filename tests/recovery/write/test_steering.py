"""Controls of bidirectional text: escaped in every script, and back as they were."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from forensics.recovery.write.steering import unsteered
from forensics.scratch import Scratch
from tests.recovery.conftest import Incident

TURN, ISOLATE = "\u202e", "\u2066"
STEERING = re.compile("[\u061c\u202a-\u202e\u2066-\u2069]")
BEFORE = f"""
CREATE TABLE notes (id int PRIMARY KEY, "te{TURN}xt" text DEFAULT 'a{ISOLATE}b');
COMMENT ON TABLE notes IS 'it''s {TURN}turned\\ round';
INSERT INTO notes VALUES (1, 'a{TURN}b'), (2, '{ISOLATE}\\tail'), (3, 'plain'), (4, NULL);
CREATE TABLE kept (id int PRIMARY KEY, label text);
INSERT INTO kept VALUES (1, 'x{TURN}y'), (2, 'z');
"""
CHANGE = "DROP TABLE notes; DELETE FROM kept WHERE id = 1"


def test_scripts_do_not_turn_round(incident: Callable[..., Incident]) -> None:
    found = incident(BEFORE, CHANGE)
    after = found.state()
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.rehearsal)
    for script in found.out.iterdir():
        assert not STEERING.search(script.read_text()), script
    found.run("recovery.sql")
    assert found.state() == found.state(found.before)
    found.run("undo.sql")
    assert found.state() == after


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT 'a{TURN}b'",
        f"SELECT 'it''s \\ {TURN}'",
        f"SELECT E'tab\\t\\'{TURN} \\{TURN} \\\\{TURN}'",
        f"SELECT U&'\\0061{TURN}'",
        f"SELECT $a$b'\\{TURN}$a$",
        f'SELECT 1 AS "A""\\{TURN}"',
        f"SELECT 1 AS A{TURN}b",
        f"SELECT 1 /* a{TURN} */ AS b -- {TURN}",
    ],
)
def test_sql_means_the_same(scratch: Scratch, sql: str) -> None:
    told = "\\pset tuples_only off\n"
    rewritten = unsteered(sql)
    assert not STEERING.search(rewritten)
    assert scratch.run("postgres", told + rewritten) == scratch.run("postgres", told + sql)
