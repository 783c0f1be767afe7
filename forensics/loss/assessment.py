"""One run: every junction table, several at a time, then what goes beyond them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import duckdb

from forensics.compare.failures import reason as reason_of
from forensics.compare.options import Listener
from forensics.documents import plain
from forensics.errors import EvidenceError, is_lost
from forensics.evidence.beside import side_by_side
from forensics.evidence.source import Source
from forensics.loss.adopted import adopted
from forensics.loss.churn import churn
from forensics.loss.concentration import concentrated
from forensics.loss.elsewhere import live_on, say_elsewhere
from forensics.loss.ends import settle_ends
from forensics.loss.fates import LOST
from forensics.loss.inference import survey
from forensics.loss.junctions import Junction, junction_of, plain_parent
from forensics.loss.links import Fate, classify
from forensics.loss.moved import Place
from forensics.loss.moved.chosen import may_choose
from forensics.loss.named_by import as_they_name
from forensics.loss.overrides import overridden
from forensics.loss.overwritten import marked_since, overwritten
from forensics.loss.parents import Spread, dangling, spread
from forensics.loss.reach import Reach
from forensics.loss.references import references
from forensics.loss.renames import rekeyed, renames
from forensics.loss.undeclared import find_undeclared
from forensics.loss.window import work_out
from forensics.loss.workspace import Workspace
from forensics.model import Parent, TableName
from forensics.store import Store

_Document = dict[str, Any]
_Junctions = Mapping[TableName, tuple[Parent, ...]]
_NO_ENDS = (
    "what its columns refer to is not known: the backup tells no keys of it, nor of its parents"
)
_MARKED_SINCE = (
    "links whose rows stand and were marked deleted since the backup: {:,}. They are not counted "
    "as lost: an application deletes so, too"
)
_TOTALS = ("missing", "moved", "superseded", "lost", *LOST, "overwritten")


class _Assessed(NamedTuple):
    """What the document says of a junction table, or why it could not be looked at."""

    entry: _Document | None = None
    failure: _Document | None = None


def _nothing() -> None:
    """What there is to wait for where all is known already."""


def assess(
    backup: Source,
    live: Source,
    store: Store,
    listener: Listener | None = None,
    *,
    threads: int = 1,
    until_overwritten: Callable[[], None] = _nothing,
) -> None:
    """Classify every missing row of every junction table, and write it into the case.

    A junction table that could not be compared or whose parents cannot be read is left
    out and said in the document's `failed`; the others go on. So is one that was not
    among the tables to compare, without a word.

    Args:
        backup, live: both sides, open.
        store: the case, open for writing, with every table compared and the findings in it.
        listener: is told of rows that are read.
        threads: how many junction tables are looked at at a time.
        until_overwritten: waits until the case says which values were overwritten; up to
            then its findings are not written either.

    Raises:
        EvidenceError: live cannot be read at all.
    """
    listener = listener or Listener()
    with Workspace(backup, live, store, listener.rows, threads) as work:
        work.run("DROP SCHEMA IF EXISTS loss CASCADE")
        work.run("CREATE SCHEMA loss")
        found = _find_junctions(work)
        store.put("junctions", _plain_junctions(found))
        work.undeclared = find_undeclared(work)
        elsewhere, unknown = live_on(work, found)
        entries, failed = _assess_each(work, found, unknown)
        until_overwritten()
        say_elsewhere(work, elsewhere)
        settle_ends(work, found, entries)
        after: list[Callable[[], Any]] = [
            partial(_in_time, work, entries, found),
            partial(concentrated, work),
        ]
        (window, gone), concentration = side_by_side(after, threads, "conclude")
        document = {
            "junctions": entries,
            "window": window,
            "totals": _totals(entries, failed),
            "references": references(work, found),
            "churn": gone,
            "concentrated": concentration,
            "renamed": _plain_renames(work),
            "failed": failed,
        }
        store.put("loss", document)


def _in_time(
    work: Workspace, entries: Sequence[_Document], found: _Junctions
) -> tuple[_Document, list[_Document]]:
    """The window, and whether as many rows as went missing go in such a window as a rule."""
    window = work_out(work, entries, found)
    return window, churn(work, _begin(window), window["seconds"])


def _find_junctions(work: Workspace) -> _Junctions:
    """The junction tables, with what live calls their parents and their keys."""
    work.renamed = renames(work)
    wishes = work.store.get("wishes") or {}
    surveyed = adopted(work, survey(work))
    found = as_they_name(work, overridden(surveyed, work.backup.catalog, wishes))
    every: list[Parent] = []
    for parents in found.values():
        every.extend(parents)
    work.rekeyed = rekeyed(work, every)
    return found


def _assess_each(
    work: Workspace, found: _Junctions, unknown: Sequence[_Document]
) -> tuple[list[_Document], list[_Document]]:
    """Return the document's entries, and the tables that could not be looked at.

    Args:
        unknown: the tables of which it is not known what lives on elsewhere.
    """
    reach = Reach(work)
    unseen = {(one["schema"], one["table"]) for one in unknown}
    works = []
    threads = work.threads
    for name, parents in found.items():
        if name not in work.results or work.results[name].history or tuple(name) in unseen:
            continue  # it was not among the tables to compare, or is on record already
        junction = junction_of(work.backup.catalog.tables[name], parents)
        works.append(partial(_assess_one, work, reach, junction))
        if may_choose(work.results[name], junction):
            threads = 1  # it writes rows that others may read: each is to find them in its turn
    entries, failed = [], list(unknown)
    for one in side_by_side(works, threads, "conclude"):
        if one.entry is not None:
            entries.append(one.entry)
        if one.failure is not None:
            failed.append(one.failure)
    return entries, failed


def _assess_one(work: Workspace, reach: Reach, junction: Junction) -> _Assessed:
    """Look at one junction table."""
    name = junction.name
    if work.result(name) is None:
        return _failed(junction, str(work.results[name].reason))
    if not junction.link:
        return _failed(junction, _NO_ENDS)
    try:
        fate = classify(work, junction)
        overwritten(work, junction, fate)
        if marked := marked_since(work, junction):
            fate.notes.append(_MARKED_SINCE.format(marked))
        spreads = spread(work, junction, fate)
        entry = _entry(work, fate, spreads)
        entry["reach"] = reach.run(name, spreads)
    except (EvidenceError, duckdb.Error, MemoryError) as error:
        # Said of this table and recorded; the others go on, and the run as a whole
        # ends with 2.
        if is_lost(error):
            raise
        return _failed(junction, reason_of(error))
    return _Assessed(entry)


def _failed(junction: Junction, reason: str) -> _Assessed:
    parents = [plain_parent(parent) for parent in junction.parents]
    return _Assessed(failure={**plain(junction.name), "parents": parents, "reason": reason})


# --- the document -------------------------------------------------------------------------------


def _begin(window: _Document) -> float | None:
    """When the window begins, in seconds since 1970."""
    if not window["backup_at"]:
        return None
    return datetime.fromisoformat(window["backup_at"]).timestamp()


def _plain_junctions(found: _Junctions) -> list[_Document]:
    plain_ones = []
    for name, parents in found.items():
        plain_ones.append({"name": name, "parents": [plain_parent(parent) for parent in parents]})
    return plain_ones


def _plain_renames(work: Workspace) -> list[_Document]:
    found = []
    for old, new in sorted(work.renamed.items()):
        found.append({"from": plain(old), "to": plain(new)})
    return found


def not_assessed(store: Store, reason: str) -> None:
    """Write into the case that the loss is not known, and why."""
    window: _Document = {"backup_at": None, "incident_at": None, "seconds": None}
    document: _Document = {
        "junctions": [],
        "window": {**window, "basis": {}, "unobservable": None},
        "totals": dict.fromkeys(_TOTALS),
        "references": None,
        "churn": None,
        "concentrated": None,
        "renamed": None,
        "failed": [],
        "reason": reason,
    }
    store.put("loss", document)


def _totals(
    entries: Sequence[_Document], failed: Sequence[_Document]
) -> dict[str, int] | dict[str, None]:
    """The sums over all junction tables; not known where one of them is not."""
    if failed:
        return dict.fromkeys(_TOTALS)
    totals = dict.fromkeys(_TOTALS, 0)
    for entry in entries:
        for name in _TOTALS:
            totals[name] += entry[name]
    return totals


def _entry(work: Workspace, fate: Fate, spreads: Sequence[Spread]) -> _Document:
    """What the document says of one junction table."""
    name = fate.junction.name
    labels = _labels([one.name for one in spreads])
    affected = {}
    emptied = {}
    for one in spreads:
        affected[labels[one.name]] = one.affected
        emptied[labels[one.name]] = one.emptied
    return {
        **plain(name),
        "number": work.number(name),
        "parents": [plain_parent(parent) for parent in fate.junction.parents],
        "link": list(fate.junction.link_columns),
        "missing": fate.missing,
        "moved": fate.counts["moved"],
        "superseded": fate.counts["superseded"],
        "lost": fate.lost,
        **{lost: fate.counts[lost] for lost in LOST},
        "overwritten": fate.overwritten,
        "moved_to": [_plain_place(place) for place in fate.places],
        "affected": affected,
        "emptied": emptied,
        "blocked_by": fate.blocked_by,
        "conflicts": fate.conflicts,
        "spread": [_plain_spread(one) for one in spreads],
        "dangling": _dangling(work, fate, labels),
        "notes": fate.notes,
    }


def _dangling(work: Workspace, fate: Fate, labels: Mapping[TableName, str]) -> dict[str, int]:
    found = {}
    for name, number in dangling(work, fate.junction).items():
        found[labels[name]] = number
    return found


def _plain_place(place: Place) -> _Document:
    return {
        "schema": place.name.schema,
        "table": place.name.table,
        "column": place.column,
        "rows": place.rows,
        "held": place.held,
        "order": place.order,
        "columns_lost": list(place.lost),
    }


def _plain_spread(one: Spread) -> _Document:
    return {
        **plain(one.name),
        "key": list(one.key),
        "label": one.label,
        "relation": one.relation,
        "rows": one.rows,
        "affected": one.affected,
        "emptied": one.emptied,
        "gone": one.gone,
        "untouched": None if one.rows is None else one.rows - one.affected,
    }


def _labels(names: Sequence[TableName]) -> dict[TableName, str]:
    """Tables by their bare names, with the schema where two have the same."""
    bare = [name.table for name in names]
    found = {}
    for name in names:
        if bare.count(name.table) == 1:
            found[name] = name.table
        else:
            found[name] = f"{name.schema}.{name.table}"
    return found
