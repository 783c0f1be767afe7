"""Missing links that name a parent which is gone from live."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.loss.columns import has, stores
from forensics.loss.junctions import Junction, declared_parents
from forensics.loss.links.fate import Fate
from forensics.loss.links.orphans import never_there
from forensics.loss.links.translated import Translation
from forensics.loss.missing import MissingRows
from forensics.loss.sql import listed, literal, numbered, prefixed, present, renamed, same
from forensics.loss.workspace import Workspace
from forensics.model import Parent, Table


@dataclass(frozen=True)
class Blocked:
    """An expression for the parents of a missing row `m` that are gone, and its joins."""

    joins: str
    tables: str


def blocked_links(
    missing: MissingRows,
    named: MissingRows,
    junction: Junction,
    fate: Fate,
    translation: Translation,
) -> Blocked:
    """Return which parent tables are gone from live for a missing row `m`.

    Puts into `fate` what of each parent is gone, and what could not be looked at.

    Args:
        missing: the rows, in the keys of today.
        named: the same rows in the keys of the backup, which tell what it does not hold either.
        junction: their table.
        fate: what is known of them.
        translation: how the keys became today's.
    """
    joins = ""
    hits = []
    parents = (*junction.parents, *_new_parents(missing.work, junction))
    for number, parent in enumerate(parents):
        fields = missing.fields(parent.columns)
        if fields is None or not _is_needed(missing.work, junction, parent):
            continue
        gone = gone_keys(missing, parent, fate.notes)
        never = never_there(named, parent)
        never_led = "false"
        if never and parent in translation.others:
            gone = _with_orphans(missing.work, gone, never)
        elif never:
            # Its key may be that of a row which others are led to: the link itself is asked.
            never_led = f"m.pair IN (SELECT pair FROM {_pairs(named, parent, never)})"
        fate.gone[parent] = translation.gone_too(parent, gone)
        if never:
            fate.never[parent] = never
            fate.gone[parent] = _with_orphans(missing.work, fate.gone[parent], never)
        ours = prefixed("m", fields)
        whole = present(ours)
        if gone is None:
            whole = "false"
        elif gone != "all":
            theirs = numbered(f"g{number}.k", len(fields))
            joins += f" LEFT JOIN {gone} g{number} ON {same(ours, theirs)}"
            whole += f" AND {theirs[0]} IS NOT NULL"
        whole = f"({whole} OR {never_led} OR {translation.gone(parent, ours)})"
        means = missing.condition(parent)
        hits.append(f"CASE WHEN {whole} AND {means} THEN {literal(str(parent.name))} END")
    if not hits:
        return Blocked(joins, "[]")
    tables = f"list_distinct(list_filter([{listed(hits)}], lambda p: p IS NOT NULL))"
    return Blocked(joins, tables)


def _is_needed(work: Workspace, junction: Junction, parent: Parent) -> bool:
    """Whether a row cannot be without a parent: a foreign key may be declared and not enforced.

    Live's decides, as far as it has one.
    """
    live = work.table("live", junction.name)
    now = []
    if live is not None and parent.declared:
        now = [key.enforced for key in live.foreign_keys if key.columns == parent.columns]
    return any(now) if now else parent.enforced


def _new_parents(work: Workspace, junction: Junction) -> list[Parent]:
    """Parents that a surviving table refers to since the backup."""
    live = work.table("live", junction.name)
    if live is None:
        return []
    known = {parent.columns for parent in junction.parents if parent.declared}
    return [parent for parent in declared_parents(live) if parent.columns not in known]


def gone_keys(missing: MissingRows, parent: Parent, notes: list[str]) -> str | None:
    """Return which keys of a parent are gone from live.

    A declared parent of a table that was compared needs no look at live: its rows that
    differ lie in the case.

    Args:
        missing: the rows that name the parent.
        parent: what they name.
        notes: is told what cannot be looked at.

    Returns:
        A working table (k0, …), "all", or None where none is gone.
    """
    work = missing.work
    live = work.live_table(parent.name)
    if live is None or not has(live, work.live_key(parent)):
        return "all"
    if _is_compared(work, parent, live):
        return _gone_of_compared(work, parent)
    if not work.holds("live", live.name) or not stores(live, work.live_key(parent)):
        notes.append(
            f"live holds no rows of {live.name} to look at: links to it are taken for unblocked"
        )
        return None
    return _gone_of_read(missing, parent, live)


def _with_orphans(work: Workspace, gone: str | None, never: str) -> str:
    """The keys that are gone from live, and those that never were there."""
    if gone == "all":
        return gone
    if gone is None:
        return never
    return work.temp(f"SELECT * FROM {gone} UNION SELECT * FROM {never}")


def _pairs(named: MissingRows, parent: Parent, keys: str) -> str:
    """A working table (pair) of the rows that name one of a parent's keys."""
    fields = prefixed("m", named.fields(parent.columns) or [])
    on = same(fields, numbered("k.k", len(fields)))
    return named.work.temp(
        f"""
        SELECT m.pair FROM {named.relation} m SEMI JOIN {keys} k ON {on}
         WHERE {named.condition(parent)}
        """
    )


def _is_compared(work: Workspace, parent: Parent, live: Table) -> bool:
    """Whether a declared parent has the same name and key, and was compared by it."""
    if not parent.declared or live.name != parent.name:
        return False
    if work.live_key(parent) != parent.parent_columns:
        return False
    result = work.result(parent.name)
    if result is None or result.state != "compared":
        return False
    return set(parent.parent_columns) <= set(result.columns)


def _gone_of_compared(work: Workspace, parent: Parent) -> str | None:
    result = work.results[parent.name]
    if not result.missing and not result.changed:
        return None
    ours = work.fields("backup", parent.name, parent.parent_columns) or []
    theirs = work.fields("live", parent.name, parent.parent_columns) or []
    return work.temp(
        f"""
        SELECT {renamed(ours, "k")} FROM {work.kept("backup", parent.name)}
         WHERE {present(ours)}
        EXCEPT
        SELECT {listed(theirs)} FROM {work.kept("live", parent.name)}
        """
    )


def _gone_of_read(missing: MissingRows, parent: Parent, live: Table) -> str:
    fields = prefixed("m", missing.fields(parent.columns) or [])
    keys = missing.work.read("live", live.name, missing.work.live_key(parent))
    on = same(fields, numbered("k.c", len(fields)))
    return missing.work.temp(
        f"""
        SELECT DISTINCT {renamed(fields, "k")}
          FROM {missing.relation} m ANTI JOIN {keys} k ON {on}
         WHERE {present(fields)} AND {missing.condition(parent)}
        """
    )
