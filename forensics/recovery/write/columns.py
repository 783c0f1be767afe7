"""The values of dropped columns: read from the backup once more, and put back beside what live holds now.

The case keeps only rows that differ, and a row that lost a column differs in nothing that both sides have. So this is
the one step that needs the backup itself again; it must be the same file, to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare.options import matching
from forensics.errors import RecoveryError
from forensics.evidence import Source, copytext, open_source
from forensics.model import Catalog, Column, Table, TableName, quote_identifier
from forensics.recovery.choose.selection import Scope
from forensics.recovery.relations import rows_of
from forensics.recovery.write.sqltext import (
    array,
    block,
    comment,
    defining,
    listed,
    literal,
    lock,
    psql_text,
    taking,
)
from forensics.store import Store


@dataclass(frozen=True)
class Restored:
    """Columns of one table whose values return.

    Attributes:
        key: what tells its rows apart on both sides.
        columns: the dropped columns, as the backup defines them.
        values: how many values of them are missing.
        source: the backup, open.
        stored: the columns that the backup stores of the table.
        rows: the table as a FROM item, without the tables that inherit from it.
    """

    name: TableName
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    values: int
    source: Source
    stored: tuple[str, ...]
    rows: str

    def lines(self) -> Iterator[str]:
        """Yield key and values as COPY text, of every row that has one of the values; a run of lines at a time."""
        wanted = [*self.key, *(c.name for c in self.columns)]
        for segment in self.source.segments(self.name, self.stored):
            places = [segment.columns.index(c) for c in wanted]
            for batch in copytext.line_batches(segment.blocks()):
                fields = copytext.field_columns(batch["line"], len(segment.columns))
                some = [pc.not_equal(fields[i], copytext.NULL) for i in places[len(self.key) :]]
                kept = some[0]
                for more in some[1:]:
                    kept = pc.or_(kept, more)
                table = pa.table({str(n): fields[i] for n, i in enumerate(places)}).filter(kept)
                lines = pc.binary_join_element_wise(
                    *table.columns, pa.scalar("\t", table.column(0).type)
                )
                yield "".join(f"{line}\n" for line in lines.to_pylist())


def restored_columns(
    store: Store, scope: Scope, source: Source
) -> tuple[tuple[Restored, ...], tuple[str, ...]]:
    """Find the columns whose values can return; say of the others why they cannot.

    Args:
        source: the backup, open.
    """
    backup, live = store.catalogs()
    results = {r.name: r for r in store.results()}
    by_table: dict[TableName, list[Column]] = {}
    values: dict[TableName, int] = {}
    for change in store.changes():
        column = (
            backup.tables[change.name].column(change.column)
            if change.name in backup.tables
            else None
        )
        chosen = not scope.tables or matching(change.name, (), scope.tables)
        if change.change == "dropped" and change.values_missing and column and chosen:
            by_table.setdefault(change.name, []).append(column)
            values[change.name] = values.get(change.name, 0) + change.values_missing
    found, notes = [], []
    for name in sorted(by_table, key=lambda n: (_depth(live, n), n)):
        columns = by_table[name]
        key = results[name].key
        if not key:
            notes.append(
                f"The values of {name}.{columns[0].name} cannot return: the table has no key by which to find their rows."
            )
            continue
        stored = tuple(c.name for c in backup.tables[name].columns if not c.generated)
        found.append(
            Restored(
                name, key, tuple(columns), values[name], source, stored, rows_of(live.tables[name])
            )
        )
        notes += _without(backup.tables[name], columns)
    return tuple(found), tuple(notes)


def generated_columns(store: Store, scope: Scope) -> Iterator[str]:
    """Say of dropped generated columns how to have them again: no value of theirs is lost, and none of ours brings them back."""
    backup, _ = store.catalogs()
    for change in store.changes():
        column = (
            backup.tables[change.name].column(change.column)
            if change.name in backup.tables
            else None
        )
        chosen = not scope.tables or matching(change.name, (), scope.tables)
        if change.change == "dropped" and column and column.generated and chosen:
            name = quote_identifier(column.name)
            yield (
                f"Column {change.name}.{column.name} was worked out from others, and is not made again. By hand, once these are there: "
                f"ALTER TABLE {change.name.sql} ADD COLUMN {name} {column.type} GENERATED ALWAYS AS ({column.generated}) STORED;"
            )


def _depth(catalog: Catalog, name: TableName) -> int:
    """How many tables a table inherits from, one above the other: a column that returns to the topmost returns to those below."""
    table = catalog.tables.get(name)
    return 1 + max((_depth(catalog, p) for p in table.inherits), default=-1) if table else 0


def _without(table: Table, columns: Sequence[Column]) -> Iterator[str]:
    """What stood on columns and does not return with their values."""
    for column in columns:
        lacks = ["NOT NULL"] if not column.nullable else []
        lacks += [f"key {k.name}" for k in table.keys if column.name in k.columns]
        lacks += [f"foreign key {k.name}" for k in table.foreign_keys if column.name in k.columns]
        if lacks:
            yield f"The values of {table.name}.{column.name} return without {', '.join(lacks)}: rows written since have none."


def open_backup(store: Store, given: str | Path | None) -> Source:
    """Open the backup of a case again, and make sure that it is the same.

    Raises:
        RecoveryError: it is not there, or it is another.
        BackupError: it cannot be read.
    """
    then = store.evidence()[0]
    path = given if given is not None else then.path
    if path is None or (given is None and not Path(path).exists()):
        raise RecoveryError(
            f"The backup, {path or 'a database'}, is not at hand.", "Name it with --backup."
        )
    source = open_source(path, role="backup")
    if then.sha256 and source.provenance.sha256 != then.sha256:
        source.close()
        raise RecoveryError(
            f"{path} is not the backup that was compared: its sha256 differs.",
            "Name the same file with --backup.",
        )
    return source


# --- their part of the scripts ----------------------------------------------------------------------------


def write_columns(out: IO[str], restored: tuple[Restored, ...], types: Sequence[str]) -> None:
    """Write the part of `recovery.sql` that adds the columns and fills them.

    Args:
        types: the statements that make the types that live has not.
    """
    for n, one in enumerate(restored, 1):
        print(
            f"\n-- Values of dropped columns of {comment(one.name)}: {comment(', '.join(_names(one)))}.",
            file=out,
        )
        print(block([lock(one.name)]), file=out)
        # Asked of all before any is added: a column that is added to a table is added to those that inherit from it.
        print(f"SELECT {_standing(one)} = 'absent' AS add_{n} \\gset", file=out)
    if types:
        absent = " OR ".join(f":'add_{n}'::boolean" for n in range(1, len(restored) + 1))
        print(f"SELECT {absent} AS lacking \\gset\n\\if :lacking\n-- Their types.", file=out)
        print("\n".join(types), "\\endif", sep="\n", file=out)
    for n, one in enumerate(restored, 1):
        table, names = one.name.sql, _names(one)
        adds = ", ".join(
            f"ADD COLUMN IF NOT EXISTS {quote_identifier(c.name)} {c.type}" for c in one.columns
        )
        print(f"\n\\if :add_{n}\n{defining(f'ALTER TABLE {table} {adds}')}\n\\endif", file=out)
        _stage(out, n, one, typed=True)
        sets = ", ".join(f"{quote_identifier(c)} = v.{quote_identifier(c)}" for c in names)
        print(f"\\if :add_{n}", file=out)
        print(block([f"  PERFORM pg_temp.sleep({literal(table)});"]), file=out)
        update = f"UPDATE {one.rows} t SET {sets} FROM pg_temp.values_{n} v WHERE {_same(one)}"
        print(
            f"SELECT pg_temp.fill({literal(table)}, {literal(update)}) AS written \\gset", file=out
        )
        said = f"Recovered: rows of {comment(one.name)} that have values of {comment(', '.join(names))} again:"
        print(f"\\echo {psql_text(said)} :written", file=out)
        print(block(["  PERFORM pg_temp.wake();"]), file=out)
        for column in one.columns:
            if column.default is not None:
                sets = f"ALTER TABLE {one.rows} ALTER COLUMN {quote_identifier(column.name)} SET DEFAULT {column.default}"
                print(defining(sets), file=out)
        print(f"\\else\n{_expected(n, one)}\n\\endif", file=out)


def write_undo_columns(out: IO[str], restored: tuple[Restored, ...], types: Sequence[str]) -> None:
    """Write the part of `undo.sql` that drops the columns again.

    Args:
        types: what drops the types that were made for them.
    """
    for n, one in enumerate(restored, 1):
        print(f"\n-- The columns of {comment(one.name)} that were added again.", file=out)
        print(f"SELECT {_standing(one)} = 'absent' AS without_{n} \\gset", file=out)
        _stage(out, n, one, typed=False)
        print(
            f"\\if :without_{n}\n\\else\n{_expected(n, one)}\nDROP TABLE pg_temp.values_{n};\n\\endif",
            file=out,
        )
    for n, one in enumerate(restored, 1):
        drops = ", ".join(f"DROP COLUMN IF EXISTS {quote_identifier(c)}" for c in _names(one))
        print(
            f"\\if :without_{n}\n\\else\n{taking(f'ALTER TABLE {one.name.sql} {drops}')}\n\\endif",
            file=out,
        )
    if restored and types:
        absent = " AND ".join(f":'without_{n}'::boolean" for n in range(1, len(restored) + 1))
        print(
            f"SELECT {absent} AS without \\gset\n\\if :without\n\\else\n{taking(*types)}\n\\endif",
            file=out,
        )


def _names(one: Restored) -> list[str]:
    return [c.name for c in one.columns]


def _standing(one: Restored) -> str:
    return f"pg_temp.columns_standing({literal(one.name.sql)}, {array(_names(one))})"


def _expected(n: int, one: Restored) -> str:
    return block(
        [
            f"  PERFORM pg_temp.expect_values({n}, {literal(one.rows)}, {array(one.key)}, {array(_names(one))});"
        ]
    )


def _stage(out: IO[str], n: int, one: Restored, *, typed: bool) -> None:
    columns = [*one.key, *(c.name for c in one.columns)]
    made = f"CREATE TEMP TABLE values_{n} ON COMMIT DROP AS SELECT {listed(columns)} FROM {one.name.sql} WITH NO DATA;"
    if typed:
        print(made, file=out)
    else:
        texts = ", ".join(f"{quote_identifier(c)} text" for c in columns)
        print(
            f"\\if :without_{n}\nCREATE TEMP TABLE values_{n} ({texts}) ON COMMIT DROP;\n\\else\n{made}\n\\endif",
            file=out,
        )
    print(f"COPY values_{n} ({listed(columns)}) FROM stdin;", file=out)
    for lines in one.lines():
        out.write(lines)
    print(f"\\.\nANALYZE values_{n};", file=out)


def _same(one: Restored) -> str:
    return " AND ".join(f"t.{quote_identifier(k)} = v.{quote_identifier(k)}" for k in one.key)
