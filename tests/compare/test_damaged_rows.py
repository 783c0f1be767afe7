"""Rows of a backup that are damaged: their table fails with what is sure, others are compared."""

from __future__ import annotations

import pytest

from tests.conftest import Incident

BEFORE = """CREATE TABLE vessel (id int PRIMARY KEY, name text, draught int);
INSERT INTO vessel SELECT i, 'vessel ' || i, i * 3 FROM generate_series(1, 60) i;
CREATE TABLE port (id int PRIMARY KEY, name text);
INSERT INTO port SELECT i, 'port ' || i FROM generate_series(1, 9) i;"""
CHANGE = "DELETE FROM vessel WHERE id IN (4, 5); DELETE FROM port WHERE id = 3"


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ("\n30\tvessel 30\t90\n", "\n30\tvessel 30\t90", 58),
        ("\n30\tvessel 30\t90\n", "\n30\tvessel 30\t9o\n", 59),
        ("COPY public.vessel (id, name, draught) FROM stdin;", "COPY public.vessel OF st", None),
    ],
)
def test_what_is_sure_is_said(old: str, new: str, rows: int | None, incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    text = incident.backup.read_text("utf-8")
    assert old in text
    incident.backup.write_text(text.replace(old, new), "utf-8")
    with incident.compare() as case:
        vessel, port = case.result("vessel"), case.result("port")
    assert vessel.state == "failed"
    said = "None of its rows could be read"
    if rows is not None:
        said = f"Of the {rows} rows that could be read, 2 are missing"
    assert said in (vessel.reason or "")
    assert (port.state, port.missing, port.unchanged) == ("compared", 1, 8)
