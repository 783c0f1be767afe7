"""Missing links that led nowhere before: the backup holds no row that they name.

Keys that were never checked, triggers that were off and broken indexes leave such rows.
They are looked for where equal values are equal text. Live's keys are read first, since
nearly every link names one of them; the backup's only where some are left over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.loss.columns import spelled_alike, stores
from forensics.loss.missing import MissingRows
from forensics.loss.sql import literal, numbered, prefixed, present, renamed, same
from forensics.loss.workspace import SideName, Workspace
from forensics.model import Parent, TableName


def never_there(missing: MissingRows, parent: Parent) -> str | None:
    """Return a working table (k0, …) of keys that neither side's parent has, or None.

    Args:
        missing: the rows that name the parent.
        parent: what they name.

    Raises:
        EvidenceError: a side cannot be read.
    """
    work = missing.work
    fields = missing.fields(parent.columns)
    if fields is None or not _can_be_told(work, missing, parent):
        return None
    ours = prefixed("m", fields)
    named = left = work.temp(
        f"""
        SELECT DISTINCT {renamed(ours, "k")} FROM {missing.relation} m
         WHERE {present(ours)} AND {missing.condition(parent)}
        """
    )
    for rows, keys in _held(work, parent, named):
        on = same(prefixed("a", numbered("k", len(fields))), prefixed("p", keys))
        left, number = work.temp_counted(f"SELECT a.* FROM {left} a ANTI JOIN {rows} p ON {on}")
        if not number:
            return None
    return left


def keep_orphans(missing: MissingRows, never: dict[Parent, str]) -> None:
    """Write which missing rows name what neither side has into `loss.never_N`.

    Args:
        missing: the missing rows.
        never: by parent, the working table of its keys that neither side has.
    """
    work = missing.work
    parts = ["SELECT 0::BIGINT AS pair, ''::VARCHAR AS parent, []::VARCHAR[] AS columns LIMIT 0"]
    for parent, keys in never.items():
        fields = prefixed("m", missing.fields(parent.columns) or [])
        on = same(fields, numbered("k.k", len(fields)))
        name = literal(str(parent.name))
        columns = ", ".join(map(literal, parent.columns))
        parts.append(
            f"""
            SELECT m.pair, {name}, [{columns}]
              FROM {missing.relation} m SEMI JOIN {keys} k ON {on}
             WHERE {missing.condition(parent)}
            """
        )
    union = " UNION ALL ".join(f"({part})" for part in parts)
    target = f"loss.never_{work.number(missing.name)}"
    work.run(f"CREATE OR REPLACE TABLE {target} AS {union}")


def orphans_said(missing: MissingRows) -> Iterator[str]:
    """Say how many missing links led nowhere in the backup, by parent table."""
    found = missing.work.ask(
        f"""
        SELECT parent, count(DISTINCT pair)
          FROM loss.never_{missing.work.number(missing.name)}
         GROUP BY parent ORDER BY parent
        """
    )
    for parent, rows in found:
        yield (
            f"missing links that name a row of {parent} which the backup does not hold "
            f"either: {rows:,}. They led nowhere before, and nothing can bring them back"
        )


# --- where its keys are -------------------------------------------------------------------------


def _held(work: Workspace, parent: Parent, named: str) -> Iterator[tuple[str, Sequence[str]]]:
    """Relations of the parent's keys, and their fields: the case's, live's, the backup's."""
    result = work.result(parent.name)
    kept = work.kept("backup", parent.name)
    fields = work.fields("backup", parent.name, parent.parent_columns)
    if kept and fields:
        yield kept, fields
        if result is not None and result.state == "dropped":
            return  # all of its rows lie in the case
    live = work.live_table(parent.name)
    if live is not None and stores(live, work.live_key(parent)) and work.holds("live", live.name):
        yield _stayed(work, live.name, parent, named)
    yield _named(work, "backup", parent.name, parent.parent_columns, named)


def _stayed(
    work: Workspace, live: TableName, parent: Parent, named: str
) -> tuple[str, Sequence[str]]:
    """Those of live's keys that it had at the backup: a row that came since is none of them."""
    rows, keys = _named(work, "live", live, work.live_key(parent), named)
    kept = work.kept("live", parent.name)
    fields = work.fields("live", parent.name, work.live_key(parent))
    if not kept or not fields:
        return rows, keys
    on = same(prefixed("r", keys), prefixed("l", fields))
    return work.temp(f"SELECT r.* FROM {rows} r ANTI JOIN {kept} l ON {on}"), keys


def _named(
    work: Workspace, side: SideName, name: TableName, key: Sequence[str], named: str
) -> tuple[str, Sequence[str]]:
    """Those keys of a side's table that are among the named ones."""
    fields = numbered("c", len(key))
    on = same(prefixed("r", fields), prefixed("a", numbered("k", len(key))))
    return work.matched(side, name, key, f"{named} a", on), fields


# --- whether equal values are equal text --------------------------------------------------------


def _can_be_told(work: Workspace, missing: MissingRows, parent: Parent) -> bool:
    """Whether the backup holds the parent's keys, spelled as the links spell them."""
    there = work.table("backup", parent.name)
    if there is None or not work.holds("backup", parent.name):
        return False
    if parent.name in work.results and work.result(parent.name) is None:
        return False  # what it holds is not known for sure
    if work.backup.row_security and there.row_security:
        return False  # rows may have been hidden from it
    if not parent.parent_columns or not stores(there, parent.parent_columns):
        return False
    for name, other in zip(parent.columns, parent.parent_columns, strict=True):
        ours, theirs = missing.table.column(name), there.column(other)
        if ours is None or theirs is None:
            return False
        if not spelled_alike(ours, theirs, work.backup.catalog):
            return False
    return True
