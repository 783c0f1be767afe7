"""Findings: offered with their evidence, and no count is changed by them."""

from __future__ import annotations

import forensics as fx
from tests.conftest import Incident

BEFORE = """
CREATE TABLE old_links (id text PRIMARY KEY, a int, b int); INSERT INTO old_links SELECT 'l' || i, i % 9, i FROM generate_series(1, 200) i;
CREATE TABLE unrelated (id text PRIMARY KEY, a int, b int); INSERT INTO unrelated SELECT 'u' || i, i, i FROM generate_series(1, 200) i;
CREATE SCHEMA app; CREATE TABLE moves (id int PRIMARY KEY, v timestamptz); INSERT INTO moves SELECT i, '2025-01-01'::timestamptz + i * interval '1 h' FROM generate_series(1, 50) i;
CREATE TABLE people (id serial PRIMARY KEY, fullname text, city text); INSERT INTO people (fullname, city) SELECT 'n' || i, 'c' || i % 3 FROM generate_series(1, 100) i;
"""
CHANGE = """
ALTER TABLE old_links RENAME TO new_links; DELETE FROM new_links WHERE b > 190; ALTER TABLE moves SET SCHEMA app;
DROP TABLE unrelated; CREATE TABLE other (id text PRIMARY KEY, a int, b int); INSERT INTO other SELECT 'x' || i, 0, i FROM generate_series(1, 9) i;
ALTER TABLE people RENAME fullname TO name; UPDATE people SET name = 'x' WHERE id = 3; DELETE FROM people WHERE id > 95; SELECT setval('people_id_seq', 40);
"""


def test_findings(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare() as case:
        incident.check(case)
        found = {(f.kind, f.table): f for f in case.findings.itertuples()}
        assert found.keys() == {
            ("renamed table", "old_links"), ("renamed table", "moves"), ("renamed column", "people"), ("sequence behind", "people"),
        }  # fmt: skip
        links = found["renamed table", "old_links"]
        assert (links.other, links.rows, links.of) == ("new_links", 190, 200)
        assert found["renamed table", "moves"].other == "app.moves"
        column = found["renamed column", "people"]
        assert (column.other, column.rows, column.of) == ("name", 94, 100)
        assert "41" in found["sequence behind", "people"].text
        assert case.result("old_links").state == "dropped"
        assert case.result("old_links").missing == 200


def test_numbers_that_differ_in_scale_only_are_said_apart(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric, v text); INSERT INTO t SELECT i, i / 2.0, 'x' FROM generate_series(1, 20) i",
        "UPDATE t SET n = n::numeric(10, 5) WHERE id <= 4; UPDATE t SET n = 99 WHERE id = 9; UPDATE t SET n = round(n, 1), v = 'y' WHERE id = 12",
    )
    with incident.compare() as case:
        incident.check(case)
        [note] = case.result("t").notes
        assert note.startswith("4 of the changed rows differ only in the scale")


def test_verify_agrees(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare(options=fx.Options(verify=True)) as case:
        assert case.complete
        incident.check(case)


def test_verify_notices_a_wrong_answer(incident: Incident, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A hash that calls all rows equal is found out."""
    from forensics.compare import rows

    incident.happens(
        "CREATE TABLE t (id int, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 50) i", "UPDATE t SET v = -v WHERE id < 5"
    )
    run = rows.Engine._stream
    monkeypatch.setattr(
        rows.Engine, "_stream", lambda self, statement, **guards: run(self, statement.replace("md5_number(line)", "1::HUGEINT"), **guards)
    )
    with incident.compare(options=fx.Options(verify=True)) as case:
        assert not case.complete
        assert "byte for byte" in (case.result("t").reason or "")


def test_enum_labels_that_are_gone(incident: Incident) -> None:
    incident.happens(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, m mood); INSERT INTO t VALUES (1, 'sad'), (2, 'ok')",
        "DELETE FROM t WHERE m = 'sad'; ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
    )
    with incident.compare() as case:
        [finding] = case.findings.itertuples()
        assert finding.kind == "enum label gone"
        assert "t.m may hold sad" in finding.text
