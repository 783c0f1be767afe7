"""DuckDB as the engine: hashes of rows are joined, and it spills to disk by itself.

The backup's hashes are the side that the join is built on, live streams through as the
side that probes. A hash is the MD5 of the whole comparable line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

import duckdb
import numpy as np
import pyarrow as pa

from forensics.compare.equality import MOST, Equality
from forensics.compare.feeding import VALUE_MACRO, Guard, feed
from forensics.compare.lines import LINES, TEXT, Batches
from forensics.compare.rows import Found, KeysAmong, Matched
from forensics.evidence.arrays import numbers, texts

_WORKING_TABLE = re.compile(r"CREATE TABLE \{work\}\.(\w+)")
_BATCH = 100_000
_ROWS = pa.schema([("pair", pa.int64()), ("state", TEXT), ("raw", TEXT)])
_VALUE = "copy_value({})"
_NO_ROWS = "SELECT 0::BIGINT AS pair, '' AS state, '' AS raw WHERE false"
# The fields of a line, as COPY wrote them.
_FIELDS = "string_split(rtrim({}, chr(10)), chr(9))"


class DuckDB:
    """Compares tables on one cursor of the case file.

    Working tables live in a database of their own in memory, which spills; DuckDB lets
    a transaction write one database only, so tables are compared outside of one, and
    kept inside the caller's.

    Args:
        cursor: of the case's connection, its own.
        number: tells this engine's working tables from those of others at work on the
            same case.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, number: int) -> None:
        self._db = cursor
        self._work = f"work_{number}"
        self._made: set[str] = set()  # working tables that may be there
        self._db.execute(f"ATTACH ':memory:' AS {self._work}")
        # The backup's hashes are what the join is built on, whatever the optimizer thinks.
        self._db.execute("SET disabled_optimizers = 'build_side_probe_side'")
        self._db.execute("SET preserve_insertion_order = false")
        self._db.execute(VALUE_MACRO)

    def close(self) -> None:
        """Drop the database of the working tables, and what was set for all cursors."""
        self._db.execute(f"DETACH {self._work}")
        self._db.execute("SET disabled_optimizers = ''")

    def clean(self) -> None:
        """Drop the working tables."""
        for name in self._made:
            self._run(f"DROP TABLE IF EXISTS {{work}}.{name}")
        self._made.clear()

    # --- rows without a partner ---------------------------------------

    def differ(self, backup: Batches, live: Batches, *, as_multiset: bool) -> None:
        """Find the rows without an equal partner: into the working table `differ`."""
        ours, theirs = Guard(backup), Guard(live)
        if not as_multiset:
            self._stream(_query("differ_by_hash"), ours=ours, theirs=theirs)
            return
        self._stream(
            "CREATE TABLE {work}.ours AS SELECT position, md5_number(line) AS h FROM ours",
            ours=ours,
        )
        self._stream(
            "CREATE TABLE {work}.theirs AS SELECT line, raw, md5_number(line) AS h FROM theirs",
            theirs=theirs,
        )
        self._run(_query("differ_as_multiset"))

    def backup_positions(self) -> np.ndarray:
        """The positions of the backup's rows without a partner, int64, ascending."""
        answer = self._db.execute(
            f"SELECT position FROM {self._work}.differ WHERE position IS NOT NULL ORDER BY position"
        )
        return np.asarray(answer.fetchnumpy()["position"], dtype=np.int64)

    def live_rows(self) -> int:
        """How many of live's rows have no partner."""
        return self._ask("SELECT count(*) - count(position) FROM {work}.differ")[0]

    def take_backup(self, again: Batches) -> int:
        """Take in the backup's rows, whole; return how many are the rows that `differ` saw."""
        self._stream(
            "CREATE TABLE {work}.odd AS SELECT position, line, raw FROM batches",
            batches=Guard(again),
        )
        return self._ask(
            "SELECT count(*) FROM {work}.odd o JOIN {work}.differ d"
            " ON d.position = o.position AND d.h = md5_number(o.line)"
        )[0]

    # --- by key -------------------------------------------------------

    def match(
        self,
        columns: Sequence[str],
        key: Sequence[str],
        keys_among: KeysAmong | None,
        equality: Equality | None = None,
    ) -> Matched:
        """Hold the rows without a partner against each other by key."""
        fields, conditions, names = "", [], []
        for number, column in enumerate(key):
            at = columns.index(column) + 1
            fields += f", {_FIELDS.format('line')}[{at}] AS k{number}"
            conditions.append(f"b.k{number} = l.k{number}")
            names.append(f"k{number}")
        same_key = " AND ".join(conditions) or "false"
        self._run(_query("match", key=fields, same_key=same_key))
        if equality:
            self._match_equal(names, equality)
        (numbered,) = self._ask("SELECT count(*) FROM {work}.b")
        live_repeats = self._stands_twice("l", names)
        repeated = self._repeated(names, keys_among)
        (backup,) = self._ask("SELECT count(*) FROM {work}.b")
        (live,) = self._ask("SELECT count(*) FROM {work}.l")
        (changed,) = self._ask("SELECT count(*) FROM {work}.both_sides")
        rows = {
            "backup": _query("backup_rows"),
            "live": _query("live_rows", backup=str(numbered)),
        }
        return Matched(backup, live, changed, repeated, live_repeats, rows)

    def _match_equal(self, key: Sequence[str], equality: Equality) -> None:
        """Pair rows of either side whose keys are equal and are not the same text."""
        names = ", ".join(key)
        lonely = []
        for table, number in (("b", "pair"), ("l", "n")):
            lonely.append(
                f"SELECT {number}, {names} FROM {{work}}.{table}"
                f" WHERE {number} NOT IN (SELECT {number} FROM {{work}}.both_sides)"
            )
        counts = [self._ask(f"SELECT count(*) FROM ({one})")[0] for one in lonely]
        if not all(counts):
            return
        if max(counts) > MOST:
            equality.too_many()
            return
        sides = []
        for one in lonely:
            rows = self._db.execute(one.replace("{work}", self._work)).fetchall()
            sides.append([(row[0], row[1:]) for row in rows])
        pairs = equality.pairs(*sides)
        if pairs:
            ours, theirs = map(list, zip(*pairs, strict=True))
            into = f"INSERT INTO {self._work}.both_sides SELECT unnest(?), unnest(?)"
            self._db.execute(into, [ours, theirs])

    def _stands_twice(self, table: str, key: Sequence[str]) -> bool:
        """Whether a key stands twice among the rows of a side that have no partner."""
        if not key:
            return False
        (twice,) = self._ask(
            f"SELECT count(*) FROM (SELECT 1 FROM {{work}}.{table}"
            f" GROUP BY {', '.join(key)} HAVING count(*) > 1)"
        )
        return twice > 0

    def _repeated(self, key: Sequence[str], keys_among: KeysAmong | None) -> int:
        """Take the rows out of `b` that only repeat a key; return how many they are."""
        (before,) = self._ask("SELECT count(*) FROM {work}.b")
        names = ", ".join(key)
        if self._stands_twice("b", key):
            self._run(_query("repeated", key=names))
            self._run(_query("without_repeated"))
        if keys_among is not None:
            line = f"concat_ws(chr(9), {names}) || chr(10)"
            self._run(_query("lonely", line=line))
            (lonely,) = self._ask("SELECT count(*) FROM {work}.lonely")
            if lonely:
                found = keys_among(self._lonely())
                self._stream(_query("stand_again"), every_key=Guard(found))
                self._run(_query("without_repeated"))
        (after,) = self._ask("SELECT count(*) FROM {work}.b")
        return before - after

    def _lonely(self) -> Iterator[pa.Array]:
        """The keys of the backup's rows that live has no row for, as lines."""
        with self._db.cursor() as reading:
            rows = reading.sql(f"SELECT line FROM {self._work}.lonely")
            for batch in rows.to_arrow_reader(_BATCH):
                yield batch.column(0)

    # --- held to account ----------------------------------------------

    def count_differences(self, backup: Batches, live: Batches) -> tuple[int, int]:
        """Count the rows that only one side has, byte for byte, without a hash."""
        self._stream("CREATE TABLE {work}.ours AS SELECT line FROM ours", ours=Guard(backup))
        self._stream("CREATE TABLE {work}.theirs AS SELECT line FROM theirs", theirs=Guard(live))
        only_backup, only_live = self._ask(_query("differences"))
        self.clean()
        return only_backup, only_live

    def count_in_scale_only(self, found: Found, numeric: Sequence[str]) -> int:
        """Count changed rows whose only difference is the scale of numbers: 1.50 for 1.5."""
        if not found.counts.changed or not numeric:
            return 0
        terms = []
        for at, column in enumerate(found.columns["live"], 1):
            if column not in found.columns["backup"]:
                continue
            backup = f"b[{found.columns['backup'].index(column) + 1}]"
            live = f"l[{at}]"
            if column in numeric:
                backup, live = _unscaled(backup), _unscaled(live)
            terms.append(f"{backup} = {live}")
        fields = _FIELDS.format("raw")
        return self._ask(
            f"""
            SELECT count(*)
              FROM (SELECT pair, {fields} AS b FROM ({found.rows["backup"]})
                     WHERE state = 'changed') o
              JOIN (SELECT pair, {fields} AS l FROM ({found.rows["live"]})
                     WHERE state = 'changed') t ON t.pair = o.pair
             WHERE {" AND ".join(terms)}
            """
        )[0]

    # --- into the case ------------------------------------------------

    def keep(self, number: int, found: Found) -> None:
        """Write the rows that differ into the case."""
        for side, columns in found.columns.items():
            self._run(_kept(side, number, columns, found.rows.get(side, _NO_ROWS)))

    def keep_rows(
        self, side: str, number: int, columns: Sequence[str], rows: Sequence[tuple[int, str, str]]
    ) -> None:
        """Write some rows into the case: each its pair, its state, and its line."""
        pairs = numbers([pair for pair, _, _ in rows])
        states = texts([state for _, state, _ in rows])
        lines = texts([raw for _, _, raw in rows])
        batch = pa.record_batch([pairs, states, lines], schema=_ROWS)
        value = "{}"
        if any("\\" in raw for _, _, raw in rows):
            value = _VALUE
        statement = _kept(side, number, columns, "FROM batches", value)
        feed(self._db, statement, _ROWS, {"batches": Guard(iter([batch]))})

    def keep_missing(self, number: int, columns: Sequence[str], rows: Batches) -> None:
        """Write rows of a backup into the case as missing."""
        missing = (
            "SELECT position AS pair, 'missing' AS state, coalesce(raw, line) AS raw FROM batches"
        )
        self._stream(_kept("backup", number, columns, missing), batches=Guard(rows))

    def drop_repeated(self, number: int, columns: Sequence[str], key: Sequence[str]) -> int:
        """Take those kept rows of a backup out of the case again whose key an earlier one has."""
        fields = ", ".join(f"f{columns.index(column)}" for column in key)
        table = f"rows.backup_{number}"
        return self._ask(
            f"DELETE FROM {table} WHERE pair IN (SELECT pair FROM (SELECT pair, row_number()"
            f" OVER (PARTITION BY {fields} ORDER BY pair) AS r FROM {table}"
            f" WHERE ({fields}) IN (SELECT ({fields}) FROM {table}"
            f" GROUP BY {fields} HAVING count(*) > 1)) WHERE r > 1)"
        )[0]

    # --- statements ---------------------------------------------------

    def _run(self, statement: str) -> None:
        self._made.update(_WORKING_TABLE.findall(statement))
        self._db.execute(statement.replace("{work}", self._work))

    def _ask(self, statement: str) -> tuple[int, ...]:
        # All rows: DuckDB from 2.0 on does nothing else while one may be to come.
        [found] = self._db.execute(statement.replace("{work}", self._work)).fetchall()
        return tuple(found)

    def _stream(self, statement: str, **guards: Guard) -> None:
        """Run a statement that reads batches by name."""
        self._made.update(_WORKING_TABLE.findall(statement))
        feed(self._db, statement.replace("{work}", self._work), LINES, guards)


@cache
def _text(name: str) -> str:
    file = resources.files(__package__).joinpath("queries", f"{name}.sql")
    return file.read_text(encoding="utf-8")


def _query(name: str, **parts: str) -> str:
    """The text of `queries/NAME.sql`, with SQL put into its places."""
    text = _text(name)
    for place, part in parts.items():
        text = text.replace(f"{{{place}}}", part)
    return text


def _unscaled(value: str) -> str:
    """An expression for a number's text without zeros at the end of its fraction."""
    short = f"rtrim(rtrim({value}, '0'), '.')"
    return f"CASE WHEN contains({value}, '.') THEN {short} ELSE {value} END"


def _kept(side: str, number: int, columns: Sequence[str], rows: str, value: str = _VALUE) -> str:
    """The statement that writes rows (pair, state, raw) into the case, one VARCHAR a column.

    Args:
        value: what makes a field a value; of a row without backslashes it is one.
    """
    fields = ""
    for at in range(len(columns)):
        part = value.format(f"parts[{at + 1}]")
        fields += f", {part} AS f{at}"
    return (
        f"CREATE OR REPLACE TABLE rows.{side}_{number} AS SELECT pair, state{fields}"
        f" FROM (SELECT pair, state, {_FIELDS.format('raw')} AS parts FROM ({rows})) ORDER BY pair"
    )
