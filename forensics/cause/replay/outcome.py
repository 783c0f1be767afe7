"""What became of the followed rows, at the end of a replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from forensics.cause.replay.database import Database, query_of, words_of
from forensics.cause.replay.watched import MARKS, NUMBER, TAKEN, Watched, own
from forensics.model import TableName

_PAIR_AND_STEP = {"pair": pa.int64(), "step": pa.int32()}


class Changed(NamedTuple):
    """How many values of a column, of those with one mark, a step changed; None: no step did."""

    column: str
    step: int | None
    mark: str
    values: int


class Outcome:
    """The end of a replay.

    Attributes:
        notes: what could not be counted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.notes: list[str] = []

    def gone(self, watched: Watched) -> dict[int | None, int]:
        """How many followed rows are laid at each step.

        None: they are there at the end; 0: they were never there.
        """
        return self._by_step(watched.keep)

    def lay(self, watched: Watched, step: int) -> int:
        """Lay the followed rows that are there at the end at a step; return how many they are."""
        laid = self._database.execute(
            sql.SQL("UPDATE {} SET {} = {} WHERE {} IS NULL").format(
                watched.keep, TAKEN, sql.Literal(step), TAKEN
            )
        )
        return laid.rowcount

    def changed(self, watched: Watched) -> Iterator[Changed]:
        """By column, step and mark, how many values became another at it, and stayed so."""
        if not watched.changed:
            return
        query = query_of("changed_cells").format(marks=MARKS, shadow=watched.shadow, taken=TAKEN)
        for row in self._database.execute(query):
            column = watched.changed[row["place"] - 1]
            yield Changed(column, row["step"], row["mark"], row["n"])

    def _by_step(self, table: sql.Identifier) -> dict[int | None, int]:
        query = sql.SQL("SELECT {} AS step, count(*) AS n FROM {} GROUP BY 1")
        return _counts(self._database.execute(query.format(TAKEN, table)))

    def taken(self, watched: Watched) -> pa.Table:
        """The followed rows that a step took, by their numbers (`pair`), and the `step`."""
        # Many rows as one text: each row of an answer is a call.
        query = query_of("taken").format(number=NUMBER, taken=TAKEN, keep=watched.keep)
        text = "".join(row["lines"] for row in self._database.execute(query))
        if not text:
            return pa.Table.from_batches([], pa.schema(_PAIR_AND_STEP))
        return pyarrow.csv.read_csv(
            pa.BufferReader(text.encode()),
            pyarrow.csv.ReadOptions(column_names=list(_PAIR_AND_STEP)),
            convert_options=pyarrow.csv.ConvertOptions(column_types=_PAIR_AND_STEP),
        )

    def written(
        self, name: TableName, columns: Sequence[str], since: int, most: int
    ) -> pa.Table | None:
        """The rows of a table that were written after a transaction, as text.

        None where the table is not there so, or where they are too many to keep.

        Args:
            name: the table.
            columns: which of its columns.
            since: the transaction.
            most: how many rows are kept.
        """
        if not set(columns) <= set(self._database.columns_of(name)) or not columns:
            return None
        texts = [sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns]
        kind = "SELECT (relkind = 'p')::int FROM pg_catalog.pg_class WHERE oid = %s::regclass"
        is_partitioned = self._database.execute(kind, [name.sql]).fetchone()
        only = sql.SQL("" if is_partitioned and is_partitioned["int4"] else "ONLY ")
        rows = sql.SQL("FROM {}{} WHERE xmin::text::bigint > {}").format(
            only, sql.Identifier(*name), sql.Literal(since)
        )
        number = self._database.number(sql.SQL("SELECT count(*) ") + rows)
        if not 0 < number <= most:
            return None
        query = sql.SQL("COPY (SELECT {} {}) TO STDOUT (FORMAT csv)")
        text = self._database.copy_out(query.format(sql.SQL(", ").join(texts), rows))
        return _texts(text, columns)

    def renamed(self, watched: Watched) -> TableName | None:
        """The name under which the very table goes on, where that is another one."""
        found = self._database.execute(query_of("name_of_table"), [watched.oid]).fetchone()
        if found is None:
            return None
        name = TableName(found["nspname"], found["relname"])
        return name if name != watched.name else None

    def renamed_column(self, watched: Watched, column: str) -> str | None:
        """The name under which the very column goes on, where that is another one."""
        place = [watched.oid, watched.places[column]]
        found = self._database.execute(query_of("name_of_column"), place).fetchone()
        if found is None or found["attname"] == column:
            return None
        return str(found["attname"])

    def survivors(
        self, watched: Watched, other: TableName, columns: Mapping[str, str]
    ) -> dict[int, int] | None:
        """By step, how many of the rows that it took stand in another table at the end.

        None where that could not be counted; `notes` says why.

        Args:
            columns: by column of the followed rows, the column of `other` that holds the same.
        """
        if not columns or not self._database.has(other):
            return {}
        pairs = []
        for here, there in columns.items():
            value, kept = sql.Identifier("o", there), sql.Identifier("w", own(here))
            text = "{}::text IS NOT DISTINCT FROM {}::text"
            if here in watched.key:
                text = "{}::text = {}::text"
            pairs.append(sql.SQL(text).format(value, kept))
        query = query_of("survivors").format(
            taken=TAKEN,
            keep=watched.keep,
            other=sql.Identifier(*other),
            pairs=sql.SQL(" AND ").join(pairs),
        )
        try:
            return _counts(self._database.execute(query))
        except psycopg.Error as error:
            self.notes.append(
                f"Whether rows of {watched.name} survive in {other} could not be counted: "
                f"{words_of(error)}."
            )
            return None


def _texts(text: bytes, columns: Sequence[str]) -> pa.Table:
    """COPY's CSV as columns of text; what is not quoted and empty is NULL."""
    names = [f"f{place}" for place in range(len(columns))]
    return pyarrow.csv.read_csv(
        pa.BufferReader(text),
        pyarrow.csv.ReadOptions(column_names=names),
        pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _counts(rows: Iterable[dict[str, Any]]) -> dict[Any, int]:
    """By step, the number beside it."""
    return {row["step"]: row["n"] for row in rows}
