"""What stops a script where tables are not as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.model import Table, TableName
from forensics.recovery.choose.selection import Target
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import array, literal


def expect_written_columns(work: Work, hint: str) -> list[str]:
    """The checks that tables which live has have the columns that rows are written to."""
    return [
        _expect_in_live(work, target, hint) for target in work.selection.inserted if target.columns
    ]


def _expect_in_live(work: Work, target: Target, hint: str) -> str:
    types = _types(work.catalogs[1].tables[target.name], target.columns)
    known = f"{_expected(types)}, {literal('when compared')}, {literal(hint)}"
    return f"  PERFORM pg_temp.expect_columns({literal(target.name.sql)}, {known});"


def expect_made_columns(work: Work, hint: str) -> list[str]:
    """The checks that tables which are made again have the columns that rows are written to."""
    found: list[str] = []
    for target in work.selection.recreated:
        if target.columns:
            # A dump may spell a type otherwise than live does.
            known = f"{array(target.columns)}, NULL, {literal('in the backup')}, {literal(hint)}"
            table = literal(target.name.sql)
            found.append(f"  PERFORM pg_temp.expect_columns({table}, {known});")
    return found


def expect_needed_columns(work: Work) -> Iterator[str]:
    """The checks that live has the columns that rows are written to, or refer to."""
    live = work.catalogs[1].tables
    needed: dict[TableName, dict[str, str]] = {}
    for target in work.selection.targets:
        if target.kind == "insert":
            types = _types(live[target.name], target.columns)
            needed.setdefault(target.name, {}).update(types)
        for link in target.links:
            if link.exists and link.parent in live:
                types = _types(live[link.parent], link.parent_columns)
                needed.setdefault(link.parent, {}).update(types)
    for name, types in sorted(needed.items()):
        yield f"  PERFORM pg_temp.expect_columns({literal(name.sql)}, {_expected(types)});"


def _types(table: Table, columns: Sequence[str]) -> dict[str, str]:
    """Some columns of a table, in its order, with their types."""
    return {c.name: c.type for c in table.columns if c.name in columns}


def _expected(types: dict[str, str]) -> str:
    return f"{array(list(types))}, {array(list(types.values()))}"
