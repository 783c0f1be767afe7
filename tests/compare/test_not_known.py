"""What a look for findings could not see is said; it is not taken for nothing."""

from __future__ import annotations

from typing import Any, NoReturn

import duckdb
import pytest

import forensics as fx
from forensics.compare.findings import matcher
from forensics.errors import LiveError
from forensics.scratch import Scratch
from tests.conftest import Incident

BEFORE = """
CREATE TABLE boxes (id serial PRIMARY KEY, label text, packed text);
INSERT INTO boxes (label, packed) SELECT 'b' || i, 'p' || i FROM generate_series(1, 40) i;
SELECT lo_from_bytea(777001, 'x');
"""
CHANGE = """
TRUNCATE boxes RESTART IDENTITY;
INSERT INTO boxes (label, packed) SELECT 'n' || i, 'q' || i FROM generate_series(1, 30) i;
SELECT lo_unlink(777001);
ALTER TABLE boxes RENAME COLUMN packed TO wrapped;
"""


def blind_to(scratch: Scratch, incident: Incident, *, revoked: str = "") -> str:
    """A role that reads the tables of live and nothing else."""
    role = f"packer_{incident.live}"
    scratch.run(
        incident.live,
        f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; "
        f"{revoked}",
    )
    return role


def found_by(incident: Incident, role: str) -> dict[str, list[Any]]:
    dsn = incident.live_dsn.replace("postgres@", f"{role}@")
    with fx.compare(incident.backup, dsn, incident.backup.parent / "case") as case:
        found: dict[str, list[Any]] = {}
        for finding in case.summary()["findings"]:
            found.setdefault(finding["kind"], []).append(finding)
    return found


def test_sequences_and_large_objects_that_may_not_be_read(
    incident: Incident, scratch: Scratch
) -> None:
    incident.happens(BEFORE, CHANGE, "--large-objects")
    role = blind_to(
        scratch, incident, revoked="REVOKE SELECT ON pg_catalog.pg_largeobject_metadata FROM public"
    )
    try:
        found = found_by(incident, role)
    finally:
        scratch.run(incident.live, f"DROP OWNED BY {role}; DROP ROLE {role}")
    said = " ".join(finding["text"] for finding in found["not known"])
    assert "Whether boxes_id_seq is behind boxes.id is not known" in said
    assert "large objects live has no more is not known" in said
    assert "Whether keys of boxes were used again is not known" in said
    assert "permission denied" in said
    assert "large objects gone" not in found


def test_a_new_name_that_could_not_be_looked_for(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise duckdb.IOException("No space left on device")

    incident.happens(BEFORE, "ALTER TABLE boxes RENAME TO crates")
    monkeypatch.setattr(matcher.rows, "compare", full)
    found = found_by(incident, "postgres")
    [finding] = found["not known"]
    assert "stand in crates under other names is not known" in finding["text"]
    assert "renamed table" not in found


def test_who_is_lost_is_not_asked_on() -> None:
    assert LiveError("no", sqlstate="42501").refused
    for state in ("08006", "57P01", "40001", None):
        assert not LiveError("gone", sqlstate=state).refused
