"""Rows of a key that ends in a range, cut by FOR PORTION OF: they live on, if only in pieces."""

from __future__ import annotations

from tests.conftest import Incident

# As 19 has it; before, its pieces are written by hand.
BEFORE = """
CREATE EXTENSION btree_gist;
CREATE TABLE rates (room int, valid daterange, price int, note text,
    PRIMARY KEY (room, valid WITHOUT OVERLAPS));
INSERT INTO rates SELECT i, daterange('2020-01-01', '2030-01-01'), i * 10, 'n'
    FROM generate_series(1, 20) i;
"""
CUT = """
UPDATE rates SET valid = daterange('2020-01-01', '2024-01-01') WHERE room = 1;
INSERT INTO rates VALUES (1, daterange('2024-01-01', '2025-01-01'), 99, 'n'),
    (1, daterange('2025-01-01', '2030-01-01'), 10, 'n');
UPDATE rates SET valid = daterange('2022-01-01', '2030-01-01') WHERE room = 2;
DELETE FROM rates WHERE room = 3;
DELETE FROM rates WHERE room = 4; INSERT INTO rates VALUES (4, '[2031-01-01,2032-01-01)', 40, 'n');
UPDATE rates SET valid = '(,)', price = 1 WHERE room = 5;
"""


def test_a_row_that_was_cut_lives_on(incident: Incident) -> None:
    incident.happens(BEFORE, CUT)
    with incident.compare() as case:
        assert case.result("rates").missing == 5
        [found] = [f for f in case.findings.to_dict("records") if f["kind"] == "superseded rows"]
        assert found["rows"] == 2, found
