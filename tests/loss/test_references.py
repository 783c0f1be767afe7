"""References that were emptied or made to name another row count by parent, declared or not."""

from __future__ import annotations

from typing import Any

from tests.conftest import Incident

VISITS = """
CREATE TABLE patients (id int PRIMARY KEY, name text);
CREATE TABLE wards (id int PRIMARY KEY, name text);
CREATE TABLE visits (id int PRIMARY KEY, patient_id int, reason text, minutes int);
CREATE TABLE beds (id int PRIMARY KEY, ward_id int REFERENCES wards ON DELETE SET NULL, made text);
INSERT INTO patients SELECT i, 'patient ' || i FROM generate_series(1, 12) i;
INSERT INTO wards SELECT i, 'ward ' || i FROM generate_series(1, 4) i;
INSERT INTO visits SELECT i, 1 + i % 12, 'reason ' || i, i FROM generate_series(1, 48) i;
INSERT INTO beds SELECT i, 1 + i % 4, 'made by ' || i FROM generate_series(1, 48) i;
"""


def _references(incident: Incident, change: str) -> dict[str, dict[str, Any]]:
    incident.happens(VISITS, change)
    with incident.compare() as case:
        loss = case.loss
        assert not case.nothing_missing
    return {entry["columns"][0]: entry for entry in loss["references"]}


def test_a_reference_that_nobody_declared_is_emptied(incident: Incident) -> None:
    found = _references(incident, "UPDATE visits SET patient_id = NULL")
    entry = found["patient_id"]
    assert (entry["declared"], entry["parent"]["table"]) == (False, "patients")
    assert (entry["rows"], entry["emptied"], entry["affected"]) == (48, 48, 12)


def test_both_kinds_stand_beside_each_other(incident: Incident) -> None:
    found = _references(
        incident, "UPDATE visits SET patient_id = 1; DELETE FROM wards WHERE id = 2"
    )
    undeclared, declared = found["patient_id"], found["ward_id"]
    assert (undeclared["declared"], declared["declared"]) == (False, True)
    # Four visits named the first patient, and still do.
    assert (undeclared["rows"], undeclared["repointed"], undeclared["affected"]) == (44, 44, 11)
    assert (declared["rows"], declared["emptied"], declared["affected"]) == (12, 12, 1)
