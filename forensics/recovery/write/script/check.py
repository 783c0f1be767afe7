"""`check.sql`: are the rows there that `recovery.sql` brings back, by their keys?"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from forensics.recovery.choose.selection import Target
from forensics.recovery.write.script.header import provenance
from forensics.recovery.write.script.rows import write_facts
from forensics.recovery.write.script.start import start
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import comment, emit, listed, literal, private_file, quoted

_ASK = """
CREATE TEMP TABLE checked ("table" text, "come back" bigint, "are there" bigint, "still lacking"
  bigint) ON COMMIT DROP;
DO $do$ DECLARE t targets; there bigint; name text; BEGIN
  FOR t IN SELECT * FROM pg_temp.targets ORDER BY n LOOP
    there := 0;
    IF to_regclass(t.relation) IS NOT NULL THEN there := pg_temp.held(t); END IF;
    name := regexp_replace(t.relation, '"([a-z_][a-z0-9_$]*)"', '\\1', 'g');
    INSERT INTO pg_temp.checked VALUES (name, t.expected, there, t.expected - there);
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
            if target.columns:
                _load_keys(out, n, target, work)
        emit(out, _ASK)


def _load_keys(out: IO[str], n: int, target: Target, work: Work) -> None:
    """Load the keys of a target's rows; whole rows where it has none."""
    shown = target.key or target.columns
    columns = listed(shown)
    emit(
        out,
        f"\n-- The keys of {comment(target.name)}.",
        f"SELECT to_regclass({literal(target.name.sql)}) IS NULL AS gone \\gset",
        "\\if :gone",
        f"CREATE TEMP TABLE rows_{n} ({', '.join(f'{c} text' for c in quoted(shown))}) "
        "ON COMMIT DROP;",
        "\\else",
        f"CREATE TEMP TABLE rows_{n} ON COMMIT DROP AS SELECT {columns} FROM {target.name.sql} "
        "WITH NO DATA;",
        "\\endif",
    )
    if not target.rows:
        return
    emit(out, f"COPY rows_{n} ({columns}) FROM stdin;")
    fields = [target.fields[target.columns.index(column)] for column in shown]
    for lines in work.selection.lines(target, fields=fields):
        out.write(lines)
    emit(out, "\\.", f"ANALYZE rows_{n};")
