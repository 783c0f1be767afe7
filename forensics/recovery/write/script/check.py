"""`check.sql`: are the rows there that `recovery.sql` brings back, by their keys?"""

from __future__ import annotations

from pathlib import Path

from forensics.recovery.write.script.header import provenance
from forensics.recovery.write.script.rows import load_rows, write_facts
from forensics.recovery.write.script.start import start
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import emit, literal, private_file

_ASK = """
CREATE TEMP TABLE checked ("table" text, "come back" bigint, "are there" bigint, "still lacking"
  bigint) ON COMMIT DROP;
DO $do$ DECLARE t targets; there bigint; BEGIN
  FOR t IN SELECT * FROM pg_temp.targets ORDER BY n LOOP
    there := 0;
    IF to_regclass(t.relation) IS NOT NULL THEN there := pg_temp.held(t); END IF;
    INSERT INTO pg_temp.checked
    VALUES (pg_temp.shown(t.relation), t.expected, there, t.expected - there);
  END LOOP;
END $do$;
SELECT * FROM pg_temp.checked ORDER BY "still lacking" DESC, "table";
ROLLBACK;"""


def write_check(path: Path, work: Work) -> None:
    """Write `check.sql`, which changes nothing.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        emit(out, "-- check.sql: looks by key for the rows that recovery.sql brings back.")
        emit(out, *provenance(*work.selection.store.evidence()))
        emit(out, "-- It changes nothing:", "--     psql -X -d YOUR_DATABASE -f check.sql", "")
        start(out, work.selection.store)
        write_facts(out, work)
        for n, target in enumerate(work.selection.targets, 1):
            there = f"to_regclass({literal(target.name.sql)})"
            emit(out, f"SELECT {there} IS NULL AS gone \\gset")
            load_rows(out, n, target, work, may_be_gone=True, shown=target.key or None)
        emit(out, _ASK)
