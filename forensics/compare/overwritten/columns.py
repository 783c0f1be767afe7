"""The changed rows of one table, with both values of every column side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import duckdb
import pyarrow as pa

from forensics.compare.canonical import Writer, base_type
from forensics.compare.casts import casts_between, unscaled
from forensics.compare.feeding import VALUE_MACRO, Guard, feed
from forensics.compare.fields import Canonical, byteas, instants
from forensics.compare.schema import stored_columns
from forensics.compare.shaping import after
from forensics.model import Column, Table
from forensics.store.values import marked

Kind = Literal["text", "whole", "number", "time", "truth", "json", "other"]

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("other", re.compile(r".*\[\]$")),
    ("whole", re.compile(r"(smallint|integer|bigint)$")),
    ("number", re.compile(r"(numeric|real|double precision)$")),
    ("time", re.compile(r"(date$|timestamp)")),
    ("truth", re.compile(r"boolean$")),
    ("json", re.compile(r"jsonb?$")),
    ("text", re.compile(r"(text|character varying|character|bpchar|name)$|(\S*\.)?citext$")),
)
_SCALE = re.compile(r"numeric\(\d+,(\d+)\)")
_PAIRS = pa.schema([("pair", pa.int64()), ("f", pa.large_string())])
_BATCH = 50_000
# Written alike by every session: these need no look at each value.
_ALIKE = {instants: "%+00", byteas: r"\x%"}


@dataclass(frozen=True)
class Cell:
    """A column that both sides hold.

    Attributes:
        place: among the backup's columns; `o{place}` and `n{place}` are its values.
        now: live's definition.
        kind: what its values can be taken for.
        scale: digits behind the point that its type holds, where it says so.
    """

    name: str
    place: int
    now: Column
    kind: Kind
    scale: int | None

    @property
    def old(self) -> str:
        return f"o{self.place}"

    @property
    def new(self) -> str:
        return f"n{self.place}"

    @property
    def differs(self) -> str:
        """The condition that the value changed."""
        return f"{self.old} IS DISTINCT FROM {self.new}"


@dataclass(frozen=True)
class Only:
    """A column that one side only holds; `field` is its value."""

    name: str
    field: str
    kind: Kind


class Rows:
    """The changed rows of one table, as the view `changed_rows`.

    Args:
        db: a cursor on the case.
        number: the table's number in the case.
        tables: its definitions, the backup's and live's.
        held: by side, the columns of the rows that are kept.
        writers: by side, who wrote the text.

    Attributes:
        tables: the table's definitions.
        every: the columns that both sides hold.
        apart: those that one side holds.
    """

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        number: int,
        tables: tuple[Table, Table],
        held: Mapping[str, Sequence[str]],
        writers: dict[str, Writer],
    ) -> None:
        self._db, self._number = db, number
        self.tables = tables
        self._ours, self._theirs = tables
        self._held, self._writers = held, writers
        self._joined: list[str] = []
        self.every: tuple[Cell, ...] = tuple(self._cells())
        self.apart: tuple[Only, ...] = tuple(self._only())

    def show(self, columns: Sequence[str], without: str | None) -> tuple[Cell, ...]:
        """Make the view; return the cells that may be looked at.

        Args:
            columns: those that were compared, without the key.
            without: a query for the pairs that are no changed rows.
        """
        self._db.execute(VALUE_MACRO)
        fields = []
        for cell in self.every:
            ours, theirs = self._texts(cell)
            fields.append(f"{ours} AS {cell.old}, {theirs} AS {cell.new}")
        for only in self.apart:
            side, place = only.field[0], only.field[1:]
            alias = "b" if side == "y" else "l"
            fields.append(f"{alias}.f{place} AS {only.field}")
        others = f"AND b.pair NOT IN ({without})" if without else ""
        self._db.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW changed_rows AS
            SELECT b.pair, {", ".join(fields)}
              FROM rows.backup_{self._number} b JOIN rows.live_{self._number} l ON l.pair = b.pair
                   {" ".join(self._joined)}
             WHERE b.state = 'changed' AND l.state = 'changed' {others}
            """
        )
        return tuple(cell for cell in self.every if cell.name in columns)

    # --- which columns ----------------------------------------------------------------------

    def _cells(self) -> Iterator[Cell]:
        for place, name in enumerate(self._held["backup"]):
            was, now = self._ours.column(name), self._theirs.column(name)
            if was is None or now is None or name not in self._held["live"]:
                continue
            kind = kind_of(self._writers["backup"], was.type)
            now_kind = kind_of(self._writers["live"], now.type)
            if kind != now_kind:
                kind = _common(kind, now_kind)
            scale = _SCALE.match(now.type)
            digits = 0 if now_kind == "whole" else None
            yield Cell(name, place, now, kind, int(scale[1]) if scale else digits)

    def _only(self) -> Iterator[Only]:
        common = {cell.name for cell in self.every}
        sides = (("backup", "y", self._ours), ("live", "x", self._theirs))
        for side, letter, table in sides:
            stored = stored_columns(table)
            for place, name in enumerate(self._held[side]):
                column = table.column(name)
                if name not in common and name in stored and column:
                    kind = kind_of(self._writers[side], column.type)
                    yield Only(name, f"{letter}{place}", kind)

    # --- in one spelling --------------------------------------------------------------------

    def _texts(self, cell: Cell) -> tuple[str, str]:
        """A column's values on both sides, as they were compared."""
        was = self._ours.column(cell.name)
        assert was is not None
        ours, theirs = self._writers["backup"], self._writers["live"]
        casts = None
        if was.type != cell.now.type:
            casts = casts_between(was.type, cell.now.type, ours, theirs)
        elif cell.kind == "number":
            casts = unscaled, unscaled
        first, second = casts or (None, None)
        return (
            self._text("backup", cell.place, ours.canonical(was.type), first),
            self._text(
                "live",
                self._held["live"].index(cell.name),
                theirs.canonical(cell.now.type),
                second,
            ),
        )

    def _text(
        self, side: str, place: int, canonical: Canonical | None, cast: Canonical | None
    ) -> str:
        field = f"{side[0]}.f{place}"
        if canonical in _ALIKE and self._is_like(side, place, _ALIKE[canonical]):
            canonical = None
        if canonical is None and cast is unscaled:
            short = f"rtrim(rtrim({field}, '0'), '.')"
            return f"CASE WHEN contains({field}, '.') THEN {short} ELSE {field} END"
        change = canonical
        if cast:
            change = after(canonical, cast)
        if change is None:
            return field
        return self._spelled(side, place, change)

    def _is_like(self, side: str, place: int, pattern: str) -> bool:
        unlike = self._db.execute(
            f"SELECT 1 FROM rows.{side}_{self._number} "
            f"WHERE state = 'changed' AND NOT f{place} LIKE '{pattern}' LIMIT 1"
        ).fetchall()
        return not unlike

    def _spelled(self, side: str, place: int, change: Canonical) -> str:
        """Write a column's values anew, into a table that the view joins."""
        name = f"spelled_{side}_{place}"
        long = marked(f"f{place}")
        with self._db.cursor() as reading:
            found = reading.sql(
                f"SELECT pair, CASE WHEN NOT {long} THEN {_COPY_FIELD.format(f=f'f{place}')} "
                "ELSE '\\N' END "
                f"FROM rows.{side}_{self._number} WHERE state = 'changed'"
            ).to_arrow_reader(_BATCH)
            guard = Guard(_changed(found, change))
            feed(
                self._db,
                f"CREATE OR REPLACE TEMP TABLE {name} AS "
                "SELECT pair, copy_value(f) AS f FROM fields",
                _PAIRS,
                {"fields": guard},
            )
        self._joined.append(f"JOIN {name} ON {name}.pair = b.pair")
        field = f"{side[0]}.f{place}"
        return f"coalesce({name}.f, CASE WHEN {marked(field)} THEN {field} END)"


# A value as COPY writes it.
_COPY_FIELD = r"""
    coalesce(replace(replace(replace(replace(replace(replace(replace({f},
        '\', '\\'), chr(10), '\n'), chr(9), '\t'), chr(13), '\r'), chr(8), '\b'),
        chr(12), '\f'), chr(11), '\v'), '\N')
"""


def _changed(batches: Iterator[pa.RecordBatch], change: Canonical) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        fields = change(batch.column(1).cast(pa.large_string()))
        pairs = batch.column(0).cast(pa.int64())
        yield pa.record_batch([pairs, fields.cast(pa.large_string())], schema=_PAIRS)


def kind_of(writer: Writer, type_name: str) -> Kind:
    """What the values of a type can be taken for."""
    name = base_type(writer.without_domains(type_name))
    for kind, pattern in _KINDS:
        if pattern.match(name):
            return kind
    return "other"


def _common(was: Kind, now: Kind) -> Kind:
    """What values can be taken for whose type changed."""
    if {was, now} <= {"whole", "number"}:
        return "number"
    return "text" if "text" in (was, now) else "other"
