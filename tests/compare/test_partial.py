"""Backups that hold less than live: sections, columns, partitions, tables of extensions."""

from __future__ import annotations

from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import BackupError
from forensics.scratch import Scratch
from tests.conftest import Incident

BEFORE = """CREATE TABLE a (id int PRIMARY KEY, v text, w int);
INSERT INTO a SELECT i, 'v' || i, i FROM generate_series(1, 30) i;
CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (20);
CREATE TABLE p_2 PARTITION OF p DEFAULT;
INSERT INTO p SELECT i, 'v' FROM generate_series(1, 40) i;"""
CHANGE = (
    "DELETE FROM a WHERE id < 4; UPDATE a SET v = 'changed' WHERE id = 9; "
    "DELETE FROM p WHERE id IN (3, 30);"
)


def counts(case: fx.Case) -> dict[str, tuple[object, ...]]:
    return {
        t["table"]: (t["state"], t["missing"], t["added"], t["changed"])
        for t in case.summary()["tables"]
    }


def test_without_the_section_that_declares_keys(incident: Incident) -> None:
    with incident.happens(BEFORE, CHANGE, "--section=pre-data", "--section=data").compare() as case:
        assert counts(case) == {"a": ("compared", 3, 0, 1), "p": ("compared", 2, 0, 0)}


def test_one_partition_alone(incident: Incident) -> None:
    with incident.happens(BEFORE, CHANGE, "--table=p_1").compare() as case:
        assert counts(case)["p_1"] == ("compared", 1, 0, 0)


def test_a_backup_without_tables_answers_nothing(incident: Incident) -> None:
    with pytest.raises(BackupError, match="defines no table"):
        incident.happens(BEFORE, CHANGE, "--section=post-data").compare()


def test_rows_that_leave_out_a_column(incident: Incident, tmp_path: Path) -> None:
    incident.happens(BEFORE, CHANGE)
    text = incident.backup.read_text()
    before, rest = text.split("COPY public.a (id, v, w) FROM stdin;\n")
    rows, after = rest.split("\\.\n", 1)
    rows = "".join(line.rsplit("\t", 1)[0] + "\n" for line in rows.splitlines())
    incident.backup.write_text(f"{before}COPY public.a (id, v) FROM stdin;\n{rows}\\.\n{after}")
    with incident.compare() as case:
        [result] = [r for r in case.results if r.name.table == "a"]
        assert (result.missing, result.changed, result.unchanged) == (3, 1, 26)
        assert any("have no w: not compared" in n for n in result.notes)


def test_rows_of_a_table_that_the_backup_does_not_define(incident: Incident) -> None:
    """An extension makes its tables: pg_dump writes the rows that it marks, and no definition."""
    incident.happens(BEFORE, CHANGE + "DELETE FROM a WHERE id = 30")
    text = incident.backup.read_text()
    begin = text.index("CREATE TABLE public.a (")
    text = text[:begin] + "CREATE EXTENSION IF NOT EXISTS citext;\n" + text[begin:]
    begin = text.index("CREATE TABLE public.a (")
    text = text[:begin] + text[text.index(";\n", begin) + 2 :]
    begin = text.index("ALTER TABLE ONLY public.a\n")
    text = text[:begin] + text[text.index(";\n", begin) + 2 :]
    # pg_dump names no owner of what an extension makes.
    incident.backup.write_text(text.replace("ALTER TABLE public.a OWNER TO postgres;\n", ""))
    with incident.compare() as case:
        assert counts(case)["a"] == ("compared", 4, 0, 1)


def test_values_that_live_works_out_now(incident: Incident) -> None:
    """A column that a migration made again as a generated one.

    What was stored in it is not in live, and that is said.
    """
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY, v int, w int); "
        "INSERT INTO t SELECT i, i, i * i FROM generate_series(1, 9) i",
        "ALTER TABLE t DROP w; ALTER TABLE t ADD w int GENERATED ALWAYS AS (v * 2) STORED",
    )
    with incident.compare() as case:
        incident.check(case)
        assert case.result("t").notes == (
            "live works w out where the backup stores values: they are not compared",
        )


def test_a_primary_key_that_is_younger_than_the_backup_is_not_lent_to_it(
    incident: Incident, scratch: Scratch
) -> None:
    """Its columns may be NULL in the backup.

    It never had that key, and did not just leave the section out.
    """
    incident.happens(
        "CREATE TABLE t (id int, v text); "
        "INSERT INTO t SELECT i, 'v' FROM generate_series(1, 20) i",
        "ALTER TABLE t ADD PRIMARY KEY (id); UPDATE t SET v = 'w' WHERE id < 4; "
        "DELETE FROM t WHERE id = 9",
    )
    with incident.compare() as case:
        incident.check(case)
        assert case.result("t").key_source == "all columns"
        assert case.result("t").notes[0].endswith("--key t=id compares by it")
    with fx.compare(
        scratch.dsn(incident.before), incident.live_dsn, incident.backup.parent / "other"
    ) as case:
        incident.check(case)


def test_a_key_that_was_renamed_is_not_advised(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'v')",
        "ALTER TABLE t RENAME id TO number",
    )
    with incident.compare() as case:
        incident.check(case)
        [note] = case.result("t").notes
        assert "primary key (id)" in note
        assert "--key" not in note
