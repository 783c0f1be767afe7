"""Which rows were named: `--where CONDITION` and `--rows TABLE=KEY,…`, read and held to the case.

A condition is DuckDB's SQL. It is parsed before it is used, sees one table, and runs where there
is nothing else: no file, no network, none of the case.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from forensics.compare.canonical import Writer
from forensics.errors import QueryError, UnknownTableError, UsageError
from forensics.loss.sql import literal
from forensics.model import Table, TableName, quote_identifier
from forensics.query.kinds import TEXT, Kind, kind_of
from forensics.query.question import column_names, question, refused
from forensics.query.stream import misfit, misfit_of
from forensics.store import Store
from forensics.text import listed, near_matches

# A condition on lines of its own, which its brackets and comments do not end.
_BOUND = "coalesce((\n{}\n), false)"
_KEY = re.compile(r"\(([^()]*)\)(?:,|\Z)")
_WRITE_WHERE = 'Write TABLE.COLUMN: --where "tenants.id = 7".'
_WRITE_ROWS = "Write --rows TABLE=KEY,KEY; of several columns --rows 'TABLE=(A,B),(A,B)'."


@dataclass(frozen=True)
class Wanted:
    """Rows of one table that were named.

    Attributes:
        said: as it was typed.
        condition: DuckDB's SQL on the table's typed columns.
        columns: those that the condition looks at.
    """

    said: str
    name: TableName
    condition: str
    columns: tuple[str, ...]


class Reader:
    """Reads what was asked for, and finds the rows that are meant.

    Args:
        store: the case, which knows the tables.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._backup = store.catalogs()[0]
        self._writer = Writer.once(self._backup, store.evidence()[0])
        self._db = _walled()

    def close(self) -> None:
        """Let go of DuckDB."""
        self._db.close()

    # --- what was asked -----------------------------------------------------------------------

    def where(self, text: str) -> Wanted:
        """Read a condition.

        Raises:
            QueryError: it is no SQL, or not one condition.
            UnknownTableError: the case knows no such table.
            UsageError: it names no table, several, or a column that there is not.
        """
        asked = question(self._db, f"SELECT 1 FROM asked WHERE {_BOUND.format(text)}", before=1)
        others = [str(named) for named in asked.tables if str(named) != "asked"]
        if others or asked.defined:
            raise QueryError(
                f"A condition sees its own table, and none beside it: {listed(others)}.",
                "Name the rows of one table; what belongs to them is found along the references.",
            )
        names = column_names(self._db, asked.sql)
        table = self._table_of(text, names)
        columns = self._columns_of(table, names)
        # What it does not bind is refused before any row is read.
        wanted = Wanted(text, table.name, text, columns)
        self.matching(wanted, _nothing(columns))
        return wanted

    def rows(self, text: str) -> Wanted:
        """Read keys.

        Raises:
            UnknownTableError: the case knows no such table.
            UsageError: it has no key, or they are of other columns.
        """
        place, equals, keys = text.partition("=")
        if not equals or not keys.strip():
            raise UsageError(f"--rows {text} names no rows.", _WRITE_ROWS)
        table = self._table(place.strip().replace('"', "").split("."))
        key = self._key(table)
        several = len(key) > 1
        parts = []
        for values in _keys(keys, several):
            if len(values) != len(key):
                raise UsageError(
                    f"The key of {table.name} has {len(key)} columns ({', '.join(key)}), and "
                    f"{', '.join(values)} gives {len(values)}.",
                    _WRITE_ROWS,
                )
            pairs = zip(key, values, strict=True)
            same = [f"{quote_identifier(c)} = {literal(v)}" for c, v in pairs]
            parts.append(f"({' AND '.join(same)})")
        wanted = Wanted(f"{place.strip()}={keys}", table.name, " OR ".join(parts), key)
        self.matching(wanted, _nothing(key))
        return wanted

    # --- names --------------------------------------------------------------------------------

    def _table_of(self, text: str, names: Sequence[Sequence[str]]) -> Table:
        """The one table that a condition's columns are of."""
        found: dict[TableName, Table] = {}
        for name in names:
            if len(name) > 1:
                table = self._named(name)
                found[table.name] = table
        if len(found) > 1:
            raise UsageError(
                f"{text} is about several tables: {listed(sorted(map(str, found)))}.",
                "Name rows of one table. --where can be given again: what belongs to any comes.",
            )
        if not found:
            raise UsageError(f"{text} does not say of which table.", _WRITE_WHERE)
        return next(iter(found.values()))

    def _named(self, name: Sequence[str]) -> Table:
        """The table of a column's name, TABLE.COLUMN or SCHEMA.TABLE.COLUMN."""
        if len(name) > 2:
            found = self._find(name[0], name[1])
            if found:
                return found
        return self._table(name[:1])

    def _table(self, parts: Sequence[str]) -> Table:
        schema = parts[0] if len(parts) > 1 else ""
        found = self._find(schema, parts[-1])
        if found is None:
            wanted = ".".join(parts)
            known = [str(table.name) for table in self._backup.roots]
            known += [table.name.table for table in self._backup.roots]
            raise UnknownTableError(
                f"The case knows no table {wanted}.",
                near_matches(wanted, list(dict.fromkeys(known)), "case.tables lists them."),
            )
        return found

    def _find(self, schema: str, name: str) -> Table | None:
        """The table of a name: of `public` first, or the only one of that name."""
        for same in (str.__str__, str.lower):
            found = []
            for table in self._backup.roots:
                if same(table.name.table) == same(name) and schema in ("", table.name.schema):
                    found.append(table)
            public = [table for table in found if table.name.schema == "public"]
            if len(found) > 1 and not public:
                names = listed([table.name for table in found])
                raise UsageError(f"Several tables are called {name}: {names}.", "Name the schema.")
            if found:
                return (public or found)[0]
        return None

    def _columns_of(self, table: Table, names: Sequence[Sequence[str]]) -> tuple[str, ...]:
        """The table's columns that a condition names."""
        found: dict[str, None] = {}
        for name in names:
            column = self._column(table, name)
            if column is not None:
                found[column] = None
        return tuple(found)

    def _column(self, table: Table, name: Sequence[str]) -> str | None:
        """The column of a name; None for what is no column, such as a parameter of a lambda."""
        wanted = name[0]
        if len(name) > 1:
            qualified = len(name) > 2 and name[1].lower() == table.name.table.lower()
            wanted = name[2] if qualified else name[1]
        for same in (str.__str__, str.lower):
            for column in table.columns:
                if same(column.name) == same(wanted) and not column.generated:
                    return column.name
        if len(name) == 1:
            return None
        known = [column.name for column in table.columns if not column.generated]
        raise UsageError(
            f"Table {table.name} has no column {wanted} in the backup.",
            near_matches(wanted, known, f"It has {listed(known)}."),
        )

    def _key(self, table: Table) -> tuple[str, ...]:
        """What tells a table's rows apart."""
        if table.primary_key:
            return table.primary_key.columns
        for result in self._store.results():
            if result.name == table.name and result.key:
                return result.key
        raise UsageError(
            f"Table {table.name} has no key to name its rows by.",
            "Say which with --where.",
        )

    # --- rows ---------------------------------------------------------------------------------

    def matching(self, wanted: Wanted, rows: Callable[[], Any]) -> pa.Table:
        """Return the numbers of the rows that are meant.

        Args:
            wanted: what was asked.
            rows: lends rows as an Arrow stream: `n`, and of each column its text as c0, c1, ….

        Raises:
            QueryError: DuckDB refuses the condition.
        """
        table = self._backup.tables[wanted.name]
        as_text: set[str] = set()
        while True:
            self._lay_out(wanted, table, as_text, rows())
            asked = f"SELECT n FROM {_place(table)} WHERE (\n{wanted.condition}\n)"
            try:
                return self._db.sql(asked).to_arrow_table()
            except duckdb.Error as error:
                code = misfit_of(error)
                if code is None or code in as_text:
                    raise refused(error, wanted.condition, before=1) from None
                as_text.add(code)  # a value that its type does not hold in DuckDB

    def _lay_out(self, wanted: Wanted, table: Table, as_text: set[str], rows: Any) -> None:
        """Put rows where the condition looks for them, typed."""
        self._db.register("given", rows)
        shown = ["n"]
        for place, name in enumerate(wanted.columns):
            kind = _kind(table, name, self._writer)
            code = f"c{place}"
            if code in as_text:
                kind = TEXT
            shown.append(f"{kind.typed(code, misfit(code))} AS {quote_identifier(name)}")
        self._db.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(table.name.schema)}")
        self._db.execute(
            f"CREATE OR REPLACE VIEW {_place(table)} AS SELECT {', '.join(shown)} "
            "FROM temp.main.given"
        )


def _place(table: Table) -> str:
    return f"memory.{table.name.sql}"


def _walled() -> duckdb.DuckDBPyConnection:
    """DuckDB without anything to reach."""
    db = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET python_enable_replacements = false")
    db.execute("SET enable_external_access = false")
    db.execute("SET lock_configuration = true")
    return db


def _kind(table: Table, name: str, writer: Writer) -> Kind:
    column = table.column(name)
    return kind_of(column.type, writer) if column else TEXT


def _nothing(columns: Sequence[str]) -> Callable[[], Any]:
    """No rows, of so many columns."""
    listing = [("n", pa.int64())]
    for place in range(len(columns)):
        listing.append((f"c{place}", pa.string()))

    def rows() -> Any:
        reader = pa.RecordBatchReader.from_batches(pa.schema(listing), [])
        return reader.__arrow_c_stream__()

    return rows


def _keys(text: str, several: bool) -> Iterator[list[str]]:
    """Yield keys: of several columns each in brackets, or one alone without."""
    text = text.strip()
    if several and text.startswith("("):
        end = 0
        for found in _KEY.finditer(text):
            if found.start() != end:
                break
            end = found.end()
            yield _values(found[1])
        if end != len(text):
            raise UsageError(f"{text} is no list of keys.", _WRITE_ROWS)
        return
    values = _values(text)
    if several:
        yield values
        return
    for value in values:
        yield [value]


def _values(text: str) -> list[str]:
    """Values with commas between them, in double quotes where they hold one themselves."""
    (found,) = csv.reader([text], skipinitialspace=True)
    return [value.strip() for value in found]
