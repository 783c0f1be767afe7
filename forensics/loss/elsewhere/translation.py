"""Keys of parents that were rewritten: which one a row has now, by the one that it had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forensics.compare.equality import has_one_text
from forensics.loss.columns import is_audit
from forensics.loss.missing import MissingRows
from forensics.loss.sql import listed, numbered, prefixed, present, renamed, same
from forensics.loss.workspace import Workspace
from forensics.model import Parent, Table, TableName, TableResult


def translated(missing: MissingRows, parents: Iterable[Parent]) -> MissingRows:
    """The missing rows, with every reference by the key that the parent's row has now.

    A reference whose row has the key that it had, or none, stays as it is.
    """
    joins, replaced = "", dict[str, str]()
    for number, parent in enumerate(parents):
        if parent in missing.work.rekeyed:
            continue  # live holds the old key in another column, and is asked by that
        fields = missing.fields(parent.columns)
        if fields is None or not replaced.keys().isdisjoint(fields):
            continue
        keys = new_keys(missing.work, parent.name, parent.parent_columns)
        if keys is None:
            continue
        alias = f"n{number}"
        width = len(fields)
        ours, old = prefixed("m", fields), numbered(f"{alias}.o", width)
        means = missing.condition(parent)
        joins += f" LEFT JOIN {keys} {alias} ON {same(ours, old)} AND {means}"
        for field, new in zip(fields, numbered(f"{alias}.k", width), strict=True):
            replaced[field] = f"coalesce({new}, m.{field}) AS {field}"
    if not replaced:
        return missing
    relation = missing.work.temp(
        f"SELECT m.* REPLACE ({listed(replaced.values())}) FROM {missing.relation} m{joins}"
    )
    return MissingRows(missing.work, missing.name, relation)


def keep_new_keys(work: Workspace, columns: Mapping[TableName, Iterable[tuple[str, ...]]]) -> None:
    """Keep which keys rows have by now, for links to follow them.

    Into `elsewhere.keys_N_I` (o0, …, k0, …) of the case go those of the table with number N;
    the fact `keys_anew` names them.

    Args:
        columns: by table, the columns by which others may name its rows.
    """
    facts: list[dict[str, Any]] = []
    for name, every in columns.items():
        for place, one in enumerate(dict.fromkeys(every)):
            keys = new_keys(work, name, one)
            if keys is None:
                continue
            number = work.number(name)
            table = f"elsewhere.keys_{number}_{place}"
            work.run(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM {keys}")
            facts.append({"name": name, "number": number, "columns": one, "table": table})
    work.store.put("keys_anew", facts)


def new_keys(work: Workspace, name: TableName, columns: tuple[str, ...]) -> str | None:
    """A working table (o0, …, k0, …) of a table's old keys and its new ones, or None."""
    return work.new_keys.answer((name, columns), lambda: _find_keys(work, name, columns))


def _find_keys(work: Workspace, name: TableName, columns: tuple[str, ...]) -> str | None:
    result = work.result(name)
    if result is None or result.state != "compared" or not columns:
        return None
    ours = work.fields("backup", name, columns)
    theirs = work.fields("live", name, columns)
    if not ours or not theirs:
        return None
    parts = _same_rows(work, result, columns)
    if not parts:
        return None
    pairs = " UNION ALL ".join(f"SELECT pair, live_pair FROM {part}" for part in parts)
    old, new = prefixed("b", ours), prefixed("l", theirs)
    width = len(columns)
    agreed = " AND ".join(f"count(DISTINCT {key}) = 1" for key in numbered("k", width))
    newest = [f"min({key}) AS {key}" for key in numbered("k", width)]
    found, number = work.temp_counted(
        f"""
        SELECT {listed(numbered("o", width))}, {listed(newest)}
          FROM (SELECT {renamed(old, "o")}, {renamed(new, "k")}
                  FROM ({pairs}) p
                  JOIN {work.kept("backup", name)} b ON b.pair = p.pair
                  JOIN {work.kept("live", name)} l ON l.pair = p.live_pair
                 WHERE {present(old)} AND {present(new)})
         GROUP BY {listed(numbered("o", width))}
        HAVING {agreed}
        """
    )
    return found if number else None


def _same_rows(work: Workspace, result: TableResult, columns: tuple[str, ...]) -> list[str]:
    """Working tables (pair, live_pair) of rows that other columns, or other texts, name now."""
    found = (
        work.same_rows.get(result.name),
        _rows_with_another_code(work, result, columns),
        _rows_written_otherwise(work, result, columns),
    )
    return [part for part in found if part]


def _rows_with_another_code(
    work: Workspace, result: TableResult, columns: tuple[str, ...]
) -> str | None:
    """Rows under their key, of which the columns that others name them by were rewritten.

    All else that they say stands; a row that says nothing else is no evidence.
    """
    if not result.changed or not set(columns).isdisjoint(result.key):
        return None
    table = work.backup.catalog.tables[result.name]
    beside = _beside(table, result, columns)
    ours = work.fields("backup", result.name, beside)
    theirs = work.fields("live", result.name, beside)
    if not ours or not theirs:
        return None
    equal = " AND ".join(
        f"b.{a} IS NOT DISTINCT FROM l.{b}" for a, b in zip(ours, theirs, strict=True)
    )
    said = " OR ".join(f"b.{field} IS NOT NULL" for field in ours)
    return _changed_pairs(work, result, f"{equal} AND ({said})")


def _rows_written_otherwise(
    work: Workspace, result: TableResult, columns: tuple[str, ...]
) -> str | None:
    """Rows under a key that is equal and is another text: 'a' that was 'A' under citext."""
    if not result.changed or not set(columns) <= set(result.key):
        return None
    was = _types(work.table("backup", result.name), columns)
    if was != _types(work.table("live", result.name), columns) or all(map(has_one_text, was)):
        return None
    old = work.fields("backup", result.name, columns) or []
    new = work.fields("live", result.name, columns) or []
    differ = " OR ".join(f"b.{a} <> l.{b}" for a, b in zip(old, new, strict=True))
    return _changed_pairs(work, result, differ)


def _changed_pairs(work: Workspace, result: TableResult, condition: str) -> str:
    """A working table (pair, live_pair) of changed rows of which a condition on b and l holds."""
    return work.temp(
        f"""
        SELECT b.pair, l.pair AS live_pair
          FROM {work.kept("backup", result.name)} b
          JOIN {work.kept("live", result.name)} l
            ON l.pair = b.pair AND l.state = 'changed'
         WHERE b.state = 'changed' AND ({condition})
        """
    )


def _types(table: Table | None, columns: tuple[str, ...]) -> list[str]:
    if table is None:
        return []
    return [column.type for column in table.columns if column.name in columns]


def _beside(table: Table, result: TableResult, columns: tuple[str, ...]) -> list[str]:
    found = []
    for column in table.columns:
        if column.name not in result.columns or is_audit(column) or column.type == "boolean":
            continue
        if column.name not in (*columns, *result.key):
            found.append(column.name)
    return found
