"""Backups that are not cut and yet not what was there: said, and nothing is written wrongly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import forensics as fx
from forensics.case.bounds import answered
from forensics.cli.voice import status_of
from forensics.errors import RecoveryError
from forensics.evidence import open_source
from forensics.evidence.inspection import inspect_backup
from forensics.recovery import Scope, Wishes, make_plan
from forensics.scratch import Scratch
from tests.conftest import Incident

PUBS = """
CREATE TABLE pub (id int PRIMARY KEY, name text);
INSERT INTO pub SELECT i, CASE i % 2 WHEN 0 THEN 'Zum Löwen ' ELSE 'Plain ' END || i
FROM generate_series(1, 40) i;
CREATE TABLE tag (id int PRIMARY KEY, label text);
INSERT INTO tag VALUES (1, 'a'), (2, 'b');
"""
LOSS = "DELETE FROM pub WHERE id IN (2, 3, 4); DELETE FROM tag WHERE id = 2;"


@pytest.mark.parametrize(("page", "wide"), [("cp850", True), ("latin-1", False)])
def test_garbled_text_is_not_written_to_live(page: str, wide: bool, incident: Incident) -> None:
    incident.happens(PUBS, LOSS)
    text = incident.backup.read_bytes().decode(page)
    encoded = text.encode("utf-8")
    if wide:
        encoded = b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")
    incident.backup.write_bytes(encoded)
    with open_source(incident.backup) as source:
        found = inspect_backup(source)
    assert found.whole is None
    assert "20 of 20 rows" in found.verdict
    with incident.compare() as case:
        [said] = [f for f in case.findings.itertuples() if f.kind == "garbled text"]
        assert (said.table, said.rows, said.of) == ("pub", 20, 20)
        out = incident.backup.parent / "out"
        scope = Scope(include_unexplained=True)
        assert make_plan(case.store, None, scope).notes
        with pytest.raises(RecoveryError, match="not what was dumped"):
            make_plan(case.store, out, scope, Wishes())
        assert not (out / "recovery.sql").exists()
        make_plan(case.store, out, Scope(("tag",), include_unexplained=True), Wishes())
        assert (out / "recovery.sql").exists()


def test_what_the_database_itself_held_comes_back(incident: Incident) -> None:
    incident.happens(PUBS.replace("Löwen", "LÃ¶wen"), LOSS)
    with incident.compare() as case:
        assert "garbled text" not in set(case.findings["kind"])
        make_plan(
            case.store, incident.backup.parent / "out", Scope(include_unexplained=True), Wishes()
        )


SECRETS = """
CREATE TABLE secret (id int PRIMARY KEY, tenant int);
INSERT INTO secret SELECT i, i % 4 FROM generate_series(1, 80) i;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (tenant = 3);
CREATE TABLE open (id int PRIMARY KEY);
INSERT INTO open VALUES (1);
"""


def test_rows_hidden_by_policies(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    name = database(SECRETS)
    scratch.run(
        name,
        f"CREATE ROLE reader_of_{name} LOGIN; GRANT SELECT ON secret, open TO reader_of_{name}",
    )
    path = tmp_path / "b.sql"
    scratch.dump(name, path, "--enable-row-security", f"--role=reader_of_{name}")
    with open_source(path) as source:
        found = inspect_backup(source)
    assert found.whole is None
    assert found.hidden == ("secret",)
    assert "may lack rows of secret" in found.verdict
    for statement, missing in (("", 0), ("DELETE FROM secret WHERE id < 41", 10)):
        if statement:
            scratch.run(name, statement)
        with fx.compare(path, scratch.dsn(name), tmp_path / f"case{missing}") as case:
            assert case.result("secret").missing == missing
            [said] = [f for f in case.findings.itertuples() if f.kind == "rows hidden"]
            assert (said.table, said.of) == ("secret", 20)
            assert "lower bounds" in case.verdict
            status = status_of(complete=answered(case), found=not case.nothing_missing)
            assert status == (1 if missing else 2)
    path = scratch.dump(name, tmp_path / "sound.sql")
    with open_source(path) as source:
        assert inspect_backup(source).whole
