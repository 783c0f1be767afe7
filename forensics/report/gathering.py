"""Gathers what a report says: from a case once, masked once, then written in every form alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from typing import Any

from forensics.figures import Moment
from forensics.loss.concentration import concentration_of
from forensics.loss.others import others
from forensics.masking import Mask
from forensics.model import Catalog, Provenance, TableName
from forensics.report.cells import number, readers
from forensics.report.changed import changed_tables
from forensics.report.document import (
    CLASSES,
    Document,
    Fact,
    Junction,
    ParentLoss,
    Row,
    of_table,
)
from forensics.report.masked import masked_cause, masked_recovery
from forensics.report.maskings import Masking
from forensics.report.results import Results, Sides
from forensics.text import fact, size

WORST = 10  # rows of each parent, in every form of the report

_KEYS = "columns('^k[0-9]+$')"
_WORST_ROWS = (
    f"SELECT {_KEYS}, label, gone, had, has + moved, missing FROM {{}} "
    f"ORDER BY missing DESC, had DESC, {_KEYS} LIMIT {{}}"
)
_SPREAD = "SELECT {} AS links, count(*) FROM {} GROUP BY links ORDER BY links"

# What is said of both sides, and the attribute of their provenance that says it.
_FACTS = (
    ("kind", "kind"),
    ("file", "path"),
    ("database", "database"),
    ("connection", "dsn"),
    ("sha256", "sha256"),
    ("size", "bytes"),
    ("compression", "compression"),
    ("server version", "server_version"),
    ("pg_dump version", "dump_version"),
    ("encoding", "encoding"),
    ("dumped at", "dumped_at"),
    ("read at", "taken_at"),
    ("snapshot", "snapshot"),
)
_UNKNOWN = "–"


def gather(case: Results, *, mask: bool | Masking = True) -> Document:
    """Return what a report of `case` says.

    Args:
        case: what was found.
        mask: whether values of rows are masked, and which are not.
    """
    backup = case.catalogs[0]
    masking = Masking.of(mask)
    shown = masking.mask(case)
    store, evidence = case.store, case.evidence
    loss = store.get("loss")
    cause = store.get("cause")
    recovery = store.get("recovery")
    findings = store.get("findings") or ()
    return Document(
        title=_title(evidence),
        verdict=case.verdict,
        complete=case.complete,
        nothing_missing=case.nothing_missing and not store.get("unknown"),
        masked=masking.on,
        shown=masking.names,
        changed=changed_tables(case, shown),
        totals=case.totals,
        counted=case.counted,
        results=tuple(replace(r, reason=shown.sentence(r.reason)) for r in case.results),
        junctions=_junctions(case, shown, loss),
        changes=tuple(store.changes()),
        facts=_facts(evidence.backup, evidence.live),
        moments=moments(case),
        findings=tuple((f["kind"], f["text"]) for f in findings),
        damage=case.damage,
        unparsed=len(backup.unparsed),
        loss=loss,
        concentrated=_concentrated(loss, shown),
        others=frozenset(others(store).tables),
        overwritten=tuple(map(shown.example, store.overwritten() or ())),
        cause=masked_cause(cause, shown),
        recovery=masked_recovery(recovery, shown),
    )


def _concentrated(loss: Mapping[str, Any] | None, mask: Mask) -> tuple[tuple[str, str], ...]:
    """Where each table's loss is concentrated: (table, sentence)."""
    found = []
    for entry in mask.slices((loss or {}).get("concentrated")) or ():
        found.append((of_table(entry), concentration_of(entry)))
    return tuple(found)


def _title(evidence: Sides) -> str:
    backup, live = evidence.backup, evidence.live
    return live.database or backup.database or PurePath(backup.path or "").name


# --- when ---


def moments(case: Results) -> tuple[Moment, ...]:
    """Return what is known of when things happened, in their order.

    Args:
        case: what was found.
    """
    backup, live = case.evidence.backup, case.evidence.live
    said = _said_time(case, "backup_at")
    backup_at = said or backup.dumped_at or backup.taken_at
    incident_at = _said_time(case, "incident_at")
    looked_at = live.taken_at or live.dumped_at
    found = []
    if backup_at:
        then = "written since: not in the backup"
        if incident_at:
            then = "written and destroyed in here: in neither side"
        found.append(Moment("backup", backup_at, then))
    if incident_at:
        found.append(Moment("incident", incident_at, "written since: only in live"))
    if looked_at:
        found.append(Moment("comparison", looked_at))
    return tuple(sorted(found, key=lambda m: m.at))


def _said_time(case: Results, name: str) -> datetime | None:
    """A time that whoever compared gave, or that the incident window has."""
    window = (case.store.get("loss") or {}).get("window") or {}
    text = case.store.get(name) or window.get(name)
    return datetime.fromisoformat(text) if text else None


# --- links ---


def _junctions(
    case: Results,
    mask: Mask,
    loss: Mapping[str, Any] | None,
) -> tuple[Junction, ...]:
    results = {r.name: r for r in case.results}
    found = []
    for entry in (loss or {}).get("junctions", ()):
        if not entry["missing"]:
            continue
        result = results[TableName(entry["schema"], entry["table"])]
        parents = [parent_loss(case, spread, mask) for spread in entry["spread"]]
        parents.sort(key=lambda p: (p.hit, p.name))
        found.append(
            Junction(
                result,
                tuple(parents),
                {name: entry[name] for name in CLASSES},
                tuple(entry["moved_to"]),
                entry["blocked_by"],
                entry["conflicts"],
            )
        )
    found.sort(key=lambda j: (-(j.result.missing or 0), j.result.name))
    return tuple(found)


def parent_loss(case: Results, spread: Mapping[str, Any], mask: Mask) -> ParentLoss:
    """Return how the rows of one parent were hit, the worst of them as they may be shown.

    Args:
        case: what was found.
        spread: the parent's entry in the loss: its name, key, and the case's table of its rows.
        mask: what of a row is shown.
    """
    name = TableName(spread["schema"], spread["table"])
    key, relation = tuple(spread["key"]), spread["relation"]
    with case.store.query() as cursor:
        rows = cursor.execute(_WORST_ROWS.format(relation, WORST)).fetchall()
        before = dict(cursor.execute(_SPREAD.format("had", relation)).fetchall())
        now = _SPREAD.format("has + moved", relation)
        after = dict(cursor.execute(now).fetchall())
    show = mask.columns(name, key)
    worst = []
    for *values, label, gone, had, links, missing in rows:
        parts = []
        for column, value in zip(key, values, strict=True):
            parts.append(show[column](value) or "NULL")
        shown = ", ".join(parts)
        worst.append(
            Row(shown, mask.label(label, name, spread["label"]), gone, had, missing, links)
        )
    return ParentLoss(
        name,
        key,
        spread["label"],
        tuple(worst),
        spread["rows"],
        _numbered(case.catalogs[0], name, key),
        sum(before.values()),
        spread["affected"],
        spread["emptied"],
        spread["gone"],
        before,
        after,
    )


def _numbered(catalog: Catalog, name: TableName, key: tuple[str, ...]) -> bool:
    """Whether a key is a single number."""
    return len(key) == 1 and readers(catalog, name).get(key[0]) is number


# --- provenance ---


def _facts(backup: Provenance, live: Provenance) -> tuple[Fact, ...]:
    found = []
    for name, attribute in _FACTS:
        one = Fact(name, _fact(backup, attribute), _fact(live, attribute))
        if (one.backup, one.live) != (_UNKNOWN, _UNKNOWN):
            found.append(one)
    found.append(Fact("whole to its last line", _whole(backup), _whole(live)))
    return tuple(found)


def _whole(side: Provenance) -> str:
    if side.kind == "database":
        return _UNKNOWN
    return "yes" if side.complete else "no"


def _fact(side: Provenance, attribute: str) -> str:
    value = getattr(side, attribute)
    if attribute == "bytes":
        return size(value)
    if attribute == "path" and value:
        # Where it lay on somebody's disk is nobody's business; which file it is, the digest says.
        return PurePath(value).name
    return fact(value)
