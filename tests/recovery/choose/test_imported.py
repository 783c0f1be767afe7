"""Rows that were imported again under new keys: what names them follows, each to its own row."""

from __future__ import annotations

from collections.abc import Callable

from tests.recovery.conftest import Incident

Build = Callable[..., Incident]

CLINIC = """
CREATE TABLE patient (id serial PRIMARY KEY, ssn text UNIQUE, name text);
CREATE TABLE drug (id serial PRIMARY KEY, label text UNIQUE);
CREATE TABLE intake (patient_id int NOT NULL REFERENCES patient ON DELETE CASCADE,
  drug_id int NOT NULL REFERENCES drug, PRIMARY KEY (patient_id, drug_id));
CREATE TABLE visit (id serial PRIMARY KEY, patient_id int REFERENCES patient ON DELETE CASCADE,
  note text);
CREATE TABLE bed (id int PRIMARY KEY, ward text,
  patient_id int REFERENCES patient ON DELETE SET NULL);
CREATE TABLE letter (id serial PRIMARY KEY, patient_id int, body text);
INSERT INTO patient (ssn, name) SELECT 'ssn-' || i, 'name ' || i % 4 FROM generate_series(1, 9) i;
INSERT INTO drug (label) SELECT 'drug ' || i FROM generate_series(1, 5) i;
INSERT INTO intake SELECT p, d FROM generate_series(1, 9) p, generate_series(1, 5) d
  WHERE (p + d) % 2 = 0;
INSERT INTO visit (patient_id, note) SELECT 1 + i % 9, 'visit ' || i FROM generate_series(1, 18) i;
INSERT INTO bed SELECT i, 'w' || i % 3, i FROM generate_series(1, 9) i;
INSERT INTO letter (patient_id, body) SELECT 1 + i % 9, 'dear ' || i
  FROM generate_series(1, 18) i;
"""
# Patient 4 is not among them any more; 30 is new.
IMPORTED = """
DELETE FROM letter WHERE id <= 12;
DELETE FROM patient;
INSERT INTO patient (id, ssn, name) SELECT 1000 + i, 'ssn-' || i, 'name ' || i % 4
  FROM generate_series(1, 9) i WHERE i <> 4;
INSERT INTO patient (id, ssn, name) VALUES (1030, 'ssn-30', 'new');
"""
TAKEN = (
    "SELECT ssn || ' ' || label FROM intake JOIN patient p ON p.id = patient_id "
    "JOIN drug d ON d.id = drug_id"
)
CAME = "SELECT ssn || ' ' || note FROM visit JOIN patient p ON p.id = patient_id"
LIES = "SELECT ssn || ' ' || b.id FROM bed b JOIN patient p ON p.id = patient_id"
WROTE = (
    "SELECT l.id || ssn || body FROM letter l JOIN patient p ON p.id = patient_id WHERE l.id <= 12"
)


def _lines(found: Incident, query: str, database: str | None = None) -> set[str]:
    return set(found.sql(query, database).splitlines())


def _links(found: Incident, table: str) -> dict[str, int]:
    (entry,) = [j for j in found.case.loss["junctions"] if j["table"] == table]
    names = ("missing", "superseded", "restorable", "blocked", "conflicting")
    return {name: entry[name] for name in names if entry[name]}


def test_links_children_and_references_follow_the_patient(incident: Build) -> None:
    found = incident(CLINIC, IMPORTED)
    gone = int(found.sql("SELECT count(*) FROM intake WHERE patient_id = 4", found.before))
    all_ = int(found.sql("SELECT count(*) FROM intake", found.before))
    assert _links(found, "intake") == {"missing": all_, "restorable": all_ - gone, "blocked": gone}
    (entry,) = [j for j in found.case.loss["junctions"] if j["table"] == "intake"]
    assert entry["affected"] == {"patient": 8, "drug": 5}
    assert entry["emptied"] == {"patient": 8, "drug": 5}
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    assert plan.rehearsal and plan.rehearsal.undo_restores
    found.run("recovery.sql")
    for query in (TAKEN, CAME, LIES, WROTE):
        was, now = _lines(found, query, found.before), _lines(found, query)
        # Patient 4 comes back, too: nothing was found of it.
        assert now == was, query
    assert found.sql("SELECT count(*) FROM patient") == "10"


def test_what_was_linked_anew_is_not_doubled(incident: Build) -> None:
    again = """
        INSERT INTO intake SELECT p.id, d.id FROM patient p, drug d
          WHERE ssn IN ('ssn-1', 'ssn-2') AND (p.id - 1000 + d.id) % 2 = 0;
        INSERT INTO visit (patient_id, note) SELECT 1002, 'visit ' || i
          FROM generate_series(1, 18) i WHERE 1 + i % 9 = 2;
        INSERT INTO letter (id, patient_id, body) SELECT 100 + i, 1003, 'dear ' || i
          FROM generate_series(1, 12) i WHERE 1 + i % 9 = 3;
    """
    found = incident(CLINIC, IMPORTED + again)
    given = int(found.sql("SELECT count(*) FROM intake"))
    assert given == 5 and _links(found, "intake")["superseded"] == 5
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    found.run("recovery.sql")
    for query in (TAKEN, CAME, LIES):
        assert _lines(found, query) == _lines(found, query, found.before), query
    for table in ("intake", "visit", "letter"):
        count = f"SELECT count(*) FROM {table}"
        assert found.sql(count) == found.sql(count, found.before), table


def test_rows_without_a_unique_key_follow_where_all_else_is_equal(incident: Build) -> None:
    """Two patients are alike: of them nobody knows which is which."""
    plain = CLINIC.replace("ssn text UNIQUE", "ssn text").replace("'name ' || i % 4", "'n'")
    alike = "UPDATE patient SET ssn = 'ssn-8' WHERE id = 9;"
    imported = IMPORTED.replace("'name ' || i % 4", "'n'") + (
        "UPDATE patient SET ssn = 'ssn-8' WHERE id = 1009;"
    )
    found = incident(plain + alike, imported)
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    found.run("recovery.sql")
    for query in (TAKEN, CAME, WROTE):
        was = {line for line in _lines(found, query, found.before) if "ssn-8" not in line}
        assert was <= _lines(found, query), query
        assert _lines(found, query) <= _lines(found, query, found.before), query


HOTELS = """
CREATE TABLE customers (customerno serial PRIMARY KEY, mail text UNIQUE);
CREATE TABLE hotels (id serial PRIMARY KEY, title text UNIQUE);
CREATE TABLE stays (customerno int, hotelref int, nights int, position int,
  PRIMARY KEY (customerno, hotelref));
CREATE TABLE bills (billno serial PRIMARY KEY, custid text, customerno int, amount int, lineno int);
CREATE TABLE lines (id serial PRIMARY KEY, label text UNIQUE);
CREATE TABLE bill_lines (billref int, lineno int, amount int);
INSERT INTO customers (mail) SELECT 'c' || i FROM generate_series(1, 12) i;
INSERT INTO hotels (title) SELECT 'h' || i FROM generate_series(1, 6) i;
INSERT INTO lines (label) SELECT 'l' || i FROM generate_series(1, 12) i;
INSERT INTO stays SELECT i, 1 + i % 6, i, i FROM generate_series(1, 12) i;
INSERT INTO bills (customerno, amount, lineno) SELECT 1 + i % 12, i, 1 + i % 3
  FROM generate_series(1, 24) i;
INSERT INTO bill_lines SELECT 1 + i % 24, 1 + i % 3, i % 12 FROM generate_series(1, 60) i;
"""


def test_names_without_borders_refer_where_all_values_do(incident: Build) -> None:
    """Amounts, positions and numbers of lines are within the keys, too, and refer to nothing."""
    change = """
        DELETE FROM stays; DELETE FROM bills;
        DELETE FROM customers; DELETE FROM lines;
        INSERT INTO customers SELECT 1000 + i, 'c' || i FROM generate_series(1, 12) i;
        INSERT INTO lines SELECT 1000 + i, 'l' || i FROM generate_series(1, 12) i;
    """
    found = incident(HOTELS, change)
    (entry,) = found.case.loss["junctions"]
    ends = {(tuple(end["columns"]), end["table"]) for end in entry["parents"]}
    assert entry["table"] == "stays"
    assert ends == {(("customerno",), "customers"), (("hotelref",), "hotels")}
    assert _links(found, "stays") == {"missing": 12, "restorable": 12}
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    found.run("recovery.sql")
    stayed = (
        "SELECT mail, title FROM stays JOIN customers USING (customerno) "
        "JOIN hotels h ON h.id = hotelref"
    )
    paid = "SELECT billno, mail, amount, lineno FROM bills JOIN customers USING (customerno)"
    for query in (stayed, paid):
        assert _lines(found, query) == _lines(found, query, found.before), query
