"""Zeros below nothing, under INSERT dumps: restoring those makes 0 of -0."""

from __future__ import annotations

import pytest

from tests.conftest import Incident

BEFORE = """
CREATE DOMAIN degree AS float8;
CREATE TABLE t (id int PRIMARY KEY, r float8, s real, d degree, n text, a float8[]);
INSERT INTO t VALUES (1, '-0', '-0', '-0', '-0', '{-0}'), (2, 0, 0, 0, 'x', '{0}'),
  (3, 1.5, 'NaN', 2, 'y', '{}'), (4, '-0', 1, 2, 'z', NULL), (5, '-Infinity', 1, 2, 'z', NULL);
"""
RESTORED = "UPDATE t SET r = 0, s = 0, d = 0 WHERE id = 1; UPDATE t SET r = 2 WHERE id = 3;"


def test_an_insert_dump_that_was_restored_has_changed_nothing(incident: Incident) -> None:
    with incident.happens(BEFORE, RESTORED, "--inserts").compare() as case:
        found = case.result("t")
    assert (found.missing, found.changed, found.unchanged) == (0, 1, 4)
    assert any("-0 and 0 are held to be equal" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ("UPDATE t SET n = '0' WHERE id = 1;", 1),  # of a text they are two
        ("UPDATE t SET a = '{0}' WHERE id = 1;", 1),  # pg_dump quotes arrays
        ("UPDATE t SET s = 0.5 WHERE id = 1;", 1),
    ],
)
def test_what_else_differs_is_a_change(incident: Incident, change: str, changed: int) -> None:
    with incident.happens(BEFORE, change, "--column-inserts").compare() as case:
        assert case.result("t").changed == changed


def test_copy_keeps_the_sign(incident: Incident) -> None:
    with incident.happens(BEFORE, RESTORED).compare() as case:
        found = case.result("t")
    assert (found.missing, found.changed) == (0, 2)
    assert not any("-0" in note for note in found.notes)
