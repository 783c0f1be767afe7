"""A backup that holds a key more than once, as a damaged index lets one: which rows are missing?"""

from __future__ import annotations

import pytest

import forensics as fx
from forensics.model import TableResult
from tests.conftest import Incident

BEFORE = """
CREATE TABLE parts (depot int, code text, n numeric(6, 2), note text, PRIMARY KEY (depot, code));
INSERT INTO parts SELECT i % 3, 'c' || i, i, 'note ' || i FROM generate_series(1, 60) i;
CREATE TABLE gone (id bigint PRIMARY KEY, v text);
INSERT INTO gone SELECT i, 'v' || i FROM generate_series(1, 20) i;
"""


def row(i: int, note: str | None = None) -> str:
    return f"{i % 3}\tc{i}\t{i}.00\t{note or f'note {i}'}\n"


def doubled(incident: Incident, *rows: tuple[str, str]) -> None:
    """Put lines into the dump once more: each behind one that is there."""
    text = incident.backup.read_text()
    for there, further in rows:
        assert text.count(there) == 1
        text = text.replace(there, there + further)
    incident.backup.write_text(text)


def found(case: fx.Case, name: str) -> TableResult:
    got = case.result(name)
    assert got.missing + got.changed + got.unchanged + got.repeated == got.backup_rows
    if got.state == "compared":
        assert got.added + got.changed + got.unchanged == got.live_rows
    return got


# What stands twice, what became of it, and: missing, changed, unchanged.
SHAPES = {
    "twice the same": ("", row(9), (0, 0, 60)),
    "another version, the first is live's": ("", row(9, "old"), (0, 0, 60)),
    "another version, the second is live's": (
        "UPDATE parts SET note = 'old' WHERE code = 'c9'",
        row(9, "old"),
        (0, 0, 60),
    ),
    "another version, neither is live's": (
        "UPDATE parts SET note = 'third' WHERE code = 'c9'",
        row(9, "old"),
        (0, 1, 59),
    ),
    "both gone": ("DELETE FROM parts WHERE code IN ('c9', 'c10')", row(9), (2, 0, 58)),
    "versions, both gone": ("DELETE FROM parts WHERE code = 'c9'", row(9, "old"), (1, 0, 59)),
    "twice the same, among missing ones": (
        "DELETE FROM parts WHERE n BETWEEN 20 AND 30",
        row(9),
        (11, 0, 49),
    ),
    "in another order": (
        "CREATE TABLE p AS SELECT * FROM parts; DELETE FROM parts; "
        "INSERT INTO parts SELECT * FROM p WHERE n <> 33 ORDER BY n DESC; DROP TABLE p",
        row(9),
        (1, 0, 59),
    ),
    "all of it changed": ("UPDATE parts SET note = note || '!'", row(9), (0, 60, 0)),
    "emptied": ("TRUNCATE parts", row(9), (60, 0, 0)),
}


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_key_twice(incident: Incident, shape: str, verify: bool) -> None:
    change, further, wanted = SHAPES[shape]
    incident.happens(BEFORE, change)
    doubled(incident, (row(9), further), (row(40), row(40)))
    with incident.compare(options=fx.Options(verify=verify)) as case:
        assert case.complete, case.result("parts").reason
        parts = found(case, "parts")
        assert parts.repeated == 2
        assert (parts.missing, parts.changed, parts.unchanged) == wanted
        assert len(case.table("parts").missing) == parts.missing
        assert not parts.intact
        [finding] = [f for f in case.findings.itertuples() if f.kind == "repeated key"]
        assert (finding.table, finding.rows, finding.of) == ("parts", 2, 62)
        assert "(depot and code)" in finding.text
        tables = {t["table"]: t for t in case.summary()["tables"]}
        assert tables["parts"]["repeated"] == 2
        assert "repeated" not in tables["gone"]


def test_a_key_twice_in_a_dropped_table(incident: Incident) -> None:
    incident.happens(BEFORE, "DROP TABLE gone")
    doubled(incident, ("7\tv7\n", "7\tv7\n7\tother\n"))
    with incident.compare() as case:
        gone = found(case, "gone")
        assert (gone.backup_rows, gone.missing, gone.repeated) == (22, 20, 2)
        rows = case.table("gone").missing
        assert sorted(rows["id"].astype(int)) == list(range(1, 21))
        assert set(rows["v"]) == {f"v{i}" for i in range(1, 21)}


def test_a_key_that_is_only_asked_for_must_not_repeat(incident: Incident) -> None:
    """Nobody said that it tells rows apart: the table is not compared by it."""
    before = "CREATE TABLE t (a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i"
    incident.happens(before, "DELETE FROM t WHERE a = 5")
    doubled(incident, ("3\t3\n", "3\t30\n"))
    with incident.compare(options=fx.Options(keys={"t": ("a",)})) as case:
        assert case.result("t").state == "failed"
        assert "repeats" in (case.result("t").reason or "")
