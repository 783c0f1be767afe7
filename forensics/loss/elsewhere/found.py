"""All tables in turn: what live holds elsewhere of their missing rows, into the case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from forensics.compare.failures import reason as reason_of
from forensics.compare.findings import Finding
from forensics.documents import plain
from forensics.errors import EvidenceError, is_lost
from forensics.loss.elsewhere.families import Moved, moved_rows
from forensics.loss.elsewhere.other_keys import references, same_rows
from forensics.loss.elsewhere.translation import keep_new_keys
from forensics.loss.sql import literal
from forensics.loss.workspace import Workspace
from forensics.model import Parent, TableName
from forensics.text import plural

_SUPERSEDED, _MOVED = "superseded rows", "moved rows"
_REWRITTEN = "rewritten key"
_OTHERWISE = "of them with other values"
_LIKELY = "more may be rows that were edited besides, and nothing says for sure"

_Junctions = Mapping[TableName, tuple[Parent, ...]]


def live_on(work: Workspace, junctions: _Junctions) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Find the missing rows that live holds elsewhere, and keep them.

    Args:
        work: the run's workspace; told which rows are the same under another key.
        junctions: the junction tables, whose links are looked for by themselves.

    Returns:
        What there is to say of it, and the tables that could not be looked at, each with the
        reason.
    """
    work.run("DROP SCHEMA IF EXISTS elsewhere CASCADE")
    work.run("CREATE SCHEMA elsewhere")
    found: list[Finding] = []
    failed: list[dict[str, Any]] = []
    for name in _parents_first(work, junctions):
        if not work.results[name].missing or work.results[name].history:
            continue
        try:
            if name not in junctions:
                found += _same_table(work, name)
            found += _other_tables(work, name)
        except (EvidenceError, duckdb.Error) as error:
            if is_lost(error):
                raise
            failed.append({**plain(name), "reason": reason_of(error)})
    keep_new_keys(work, _columns_named(work, junctions))
    return found, failed


def _columns_named(
    work: Workspace, junctions: _Junctions
) -> dict[TableName, list[tuple[str, ...]]]:
    """By table of which rows may live on, the columns by which others may name its rows."""
    found: dict[TableName, list[tuple[str, ...]]] = {}
    catalog = work.backup.catalog.tables
    for name, result in sorted(work.results.items()):
        if result.state == "compared" and (result.missing or result.changed):
            found[name] = [key.columns for key in catalog[name].keys]
    every = [*junctions.values(), *(references(work, table) for table in catalog.values())]
    for parents in every:
        for parent in parents:
            if parent.name in found:
                found[parent.name].append(parent.parent_columns)
    return found


def _parents_first(work: Workspace, junctions: _Junctions) -> Iterator[TableName]:
    """The compared tables, each after those that it refers to."""
    done: set[TableName] = set()

    def visit(name: TableName) -> Iterator[TableName]:
        if name in done or name not in work.results:
            return
        done.add(name)
        table = work.table("backup", name)
        if table is None:
            return
        for parent in (*references(work, table), *junctions.get(name, ())):
            yield from visit(parent.name)
        yield name

    for name in sorted(work.results):
        yield from visit(name)


# --- rows ---------------------------------------------------------------------------------------


def _same_table(work: Workspace, name: TableName) -> Iterator[Finding]:
    if work.table("live", name) is None:
        return
    pairs = same_rows(work, name, references(work, work.backup.catalog.tables[name]))
    if pairs is None:
        return
    known = f"SELECT pair, 'superseded', '', live_pair, equal FROM {pairs} WHERE equal IS NOT NULL"
    _keep(work, name, known)
    _keep(work, name, f"SELECT pair, 'likely', '', NULL, false FROM {pairs} WHERE equal IS NULL")
    rows, equal, likely = work.one(
        f"SELECT count(equal), count(*) FILTER (equal), count(*) - count(equal) FROM {pairs}"
    )
    result = work.results[name]
    text = (
        f"{rows:,} of the {result.missing:,} missing {plural(result.missing or 0, 'row')} of "
        f"{name} live on in it under another {', '.join(result.key) or 'key of what they name'}"
    )
    if equal < rows:
        text += f"; {rows - equal:,} {_OTHERWISE} besides"
    if likely:
        text += f"; {likely:,} {_LIKELY}"
    yield Finding(_SUPERSEDED, name, f"{text}.", None, rows, result.missing)


def _other_tables(work: Workspace, name: TableName) -> Iterator[Finding]:
    result = work.results[name]
    for moved in moved_rows(work, name):
        work.moved_rows.setdefault(name, []).append((moved.place, moved.pairs))
        place = literal(str(moved.place))
        _keep(work, name, f"SELECT pair, 'moved', {place}, NULL, equal FROM {moved.pairs}")
        yield _moved(work, name, moved, result.missing or 0)


def _moved(work: Workspace, name: TableName, moved: Moved, missing: int) -> Finding:
    rows, equal = work.one(f"SELECT count(*), count(*) FILTER (equal) FROM {moved.pairs}")
    text = (
        f"{rows:,} of the {missing:,} missing {plural(missing, 'row')} of {name} are in "
        f"{moved.place}, which belongs to the same family of tables"
    )
    if equal < rows:
        text += f"; {rows - equal:,} {_OTHERWISE} under their key"
    return Finding(_MOVED, name, f"{text}.", str(moved.place), rows, missing)


def _keep(work: Workspace, name: TableName, query: str) -> None:
    """Keep what was found of a table, its rows that were found before left out."""
    target = f"elsewhere.rows_{work.number(name)}"
    work.run(
        f"""
        CREATE TABLE IF NOT EXISTS {target} (
            pair BIGINT, class VARCHAR, place VARCHAR, live_pair BIGINT, equal BOOLEAN
        )
        """
    )
    work.run(
        f"INSERT INTO {target} SELECT * FROM ({query}) AS f(pair, class, place, live_pair, equal) "
        f"WHERE pair NOT IN (SELECT pair FROM {target})"
    )


# --- findings -----------------------------------------------------------------------------------


def say_elsewhere(work: Workspace, found: Sequence[Finding]) -> None:
    """Add the findings to the case's, in place of those of an earlier run."""
    known = []
    rewritten = set()
    for finding in work.store.get("findings") or ():
        if finding["kind"] in (_SUPERSEDED, _MOVED):
            continue
        known.append(finding)
        if finding["kind"] == _REWRITTEN:
            rewritten.add(TableName(**finding["name"]))
    for finding in found:
        # That the keys were rewritten says the same of a whole table.
        says_more = any(words in finding.text for words in (_OTHERWISE, _LIKELY))
        if finding.kind == _MOVED or says_more or finding.name not in rewritten:
            known.append(plain(finding))
    work.store.put("findings", known)
