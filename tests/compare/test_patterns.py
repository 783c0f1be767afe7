"""Values that were overwritten: which pattern, in how many rows, and what is ordinary life."""

from __future__ import annotations

import pytest

from forensics.model import Overwritten
from tests.conftest import Incident

PARCELS = """
CREATE TABLE depots (id int PRIMARY KEY, town text);
INSERT INTO depots SELECT i, 'town ' || i FROM generate_series(1, 5) i;
CREATE TABLE parcels (
  id int PRIMARY KEY, code text NOT NULL, addressee text, weight numeric(8,3),
  tier text NOT NULL DEFAULT 'basic', former text, paid boolean, meta jsonb,
  sent_at timestamptz, touched int NOT NULL DEFAULT 0,
  updated_at timestamptz NOT NULL DEFAULT '2026-01-01Z',
  depot_id int REFERENCES depots ON DELETE SET NULL);
INSERT INTO parcels
SELECT i, 'Co-' || i, ' Anna Nr ' || i || ' ', i * 1.377 + 0.25,
       (array['gold','silver','iron'])[1 + i % 3], 'f' || i, i % 2 = 0,
       jsonb_build_object('a', i, 'b', 'x' || i, 'c', null),
       timestamptz '2025-05-05 10:17:11.5Z' + i * interval '7 hours 3 seconds', i % 4,
       '2026-01-01Z', 1 + i % 5
  FROM generate_series(1, 60) i;
"""


def _entries(incident: Incident, change: str, before: str = PARCELS) -> dict[str, Overwritten]:
    incident.happens(before, change)
    with incident.compare() as case:
        incident.check(case)
        entries = case.store.overwritten()
        assert entries is not None, case.unknown
        assert case.nothing_missing == (
            not any(e.destroyed for e in entries) and not case.totals["missing"]
        )
        found = {}
        for entry in entries:
            found[entry.column] = entry
            assert entry.name.table == "parcels"
            with case.store.query() as cursor:
                query = "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'overwritten%'"
                assert cursor.execute(query).fetchone() == (int(any(e.destroyed for e in entries)),)
    return found


DESTROYED = [
    ("tier = NULL", "ALTER TABLE parcels ALTER tier DROP NOT NULL", "tier", "blanked", 60),
    ("addressee = ''", "", "addressee", "blanked", 60),
    ("tier = 'basic'", "", "tier", "blanked", 60),
    ("weight = 0", "", "weight", "blanked", 60),
    ("paid = false", "", "paid", "blanked", 30),
    ("tier = 'gold'", "", "tier", "constant", 40),
    ("former = code", "", "former", "copied", 60),
    ("former = weight::text", "", "former", "copied", 60),
    ("code = lower(code)", "", "code", "computed", 60),
    ("addressee = trim(addressee)", "", "addressee", "computed", 60),
    ("addressee = left(addressee, 10)", "", "addressee", "computed", 60),
    ("weight = round(weight, 1)", "", "weight", "computed", 59),
    ("weight = trunc(weight)", "", "weight", "computed", 60),
    ("weight = weight * 1.19", "", "weight", "computed", 60),
    ("sent_at = sent_at + interval '2 hours'", "", "sent_at", "computed", 60),
    ("sent_at = date_trunc('day', sent_at)", "", "sent_at", "computed", 60),
    ("meta = meta - 'b'", "", "meta", "computed", 60),
    (
        "tier = CASE WHEN tier = 'iron' THEN 'low' ELSE 'high' END",
        "",
        "tier",
        "merged",
        60,
    ),
]


@pytest.mark.parametrize(
    ("change", "first", "column", "pattern", "rows"), DESTROYED, ids=[d[0] for d in DESTROYED]
)
def test_a_pattern_over_all_rows_is_seen(
    incident: Incident, change: str, first: str, column: str, pattern: str, rows: int
) -> None:
    found = _entries(incident, f"{first}; UPDATE parcels SET {change}, updated_at = now()")
    entry = found[column]
    assert (entry.pattern, entry.rows, entry.destroyed, entry.why) == (pattern, rows, True, "")
    assert not found["updated_at"].destroyed


ALIVE = [
    "updated_at = now()",
    "touched = touched + 1, updated_at = now()",
    "updated_at = now() + id * interval '3 minutes', tier = 'basic'",
    "sent_at = sent_at + interval '7 days'",
    "code = 'New ' || (id * 37) || code",
    "former = code, code = ''",  # the values moved
]


@pytest.mark.parametrize("change", ALIVE)
def test_ordinary_life_is_no_destruction(incident: Incident, change: str) -> None:
    if change.startswith("former"):
        change = "former = code, code = ''"
        found = _entries(incident, f"UPDATE parcels SET {change}")
        assert not found["code"].destroyed
        return
    found = _entries(incident, f"UPDATE parcels SET {change}")
    assert not any(entry.destroyed for entry in found.values()), found


@pytest.mark.parametrize("moved", ["sent_at + interval '2 hours'", "date_trunc('day', sent_at)"])
def test_times_that_were_overwritten_too_are_no_evidence(incident: Incident, moved: str) -> None:
    found = _entries(incident, f"UPDATE parcels SET tier = 'iron', sent_at = {moved}")
    assert found["tier"].destroyed, found["tier"].why
    assert found["sent_at"].destroyed


def test_what_was_empty_was_not_destroyed(incident: Incident) -> None:
    before = PARCELS + "UPDATE parcels SET former = NULL;"
    found = _entries(incident, "UPDATE parcels SET former = 'x'", before)
    assert (found["former"].pattern, found["former"].rows) == ("constant", 60)
    assert not found["former"].destroyed
    assert found["former"].lost == 0


def test_a_few_edits_are_no_destruction(incident: Incident) -> None:
    found = _entries(
        incident,
        "UPDATE parcels SET tier = 'gold' WHERE id < 7; "
        "UPDATE parcels SET code = 'c' || id * 7 WHERE id > 40",
    )
    assert not any(entry.destroyed for entry in found.values())


def test_newer_values_are_not_of_the_pattern(incident: Incident) -> None:
    found = _entries(
        incident,
        "UPDATE parcels SET former = tier; UPDATE parcels SET former = 'late' WHERE id <= 6",
    )
    entry = found["former"]
    assert (entry.pattern, entry.rows, entry.of, entry.source) == ("copied", 54, 60, "tier")
    with incident.compare("again") as case, case.store.query() as cursor:
        number = case.store.number(entry.name)
        place = case.store.columns(entry.name, "backup").index("former")
        cells = cursor.execute(
            f"SELECT count(*), min(place), max(place), bool_and(b.f0::INT > 6) "
            f"FROM rows.overwritten_{number} o JOIN rows.backup_{number} b USING (pair)"
        ).fetchone()
    assert cells == (54, place, place, True)


def test_references_go_with_their_parent(incident: Incident) -> None:
    incident.happens(PARCELS, "DELETE FROM depots WHERE id = 2 AND id > 0")
    with incident.compare() as case:
        entries = case.store.overwritten() or []
    assert [(e.column, e.pattern, e.rows, e.destroyed) for e in entries] == [
        ("depot_id", "blanked", 12, True)
    ]


def test_a_small_table_that_was_wiped(incident: Incident) -> None:
    small = PARCELS + "DELETE FROM parcels WHERE id > 5;"
    found = _entries(incident, "UPDATE parcels SET code = 'x'", small)
    assert found["code"].destroyed
