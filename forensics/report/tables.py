"""What a report says, as plain data: gathered from a case once, masked once, and then written in every form alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from forensics import figures
from forensics.errors import UsageError
from forensics.figures import Hit, Moment, Picture
from forensics.masking import Mask
from forensics.model import ColumnChange, Provenance, TableName, TableResult
from forensics.text import counted, fact, size

if TYPE_CHECKING:
    from forensics.case.facade import Case

CLASSES = ("moved", "superseded", "lost", "restorable", "blocked", "conflicting")
WORST = 10  # rows of each parent, in every form of the report


class Fact(NamedTuple):
    """A line of provenance: what it is, and what it is on either side."""

    name: str
    backup: str
    live: str


class Row(NamedTuple):
    """A parent row that misses links: its key and label as they may be shown, and its links in the backup and now, moved ones among them."""

    key: str
    label: str | None
    gone: bool
    had: int
    missing: int
    now: int


@dataclass(frozen=True)
class ParentLoss:
    """What a junction table's loss means for the rows of one parent.

    Attributes:
        name, key, label: the parent table, the columns that links refer to, and the one that people know its rows by.
        worst: the rows that miss the most links.
        hit: how many rows miss links; affected: those of live that lost one; emptied: those of these that hold none now;
            gone: those that are gone from live themselves.
        before, after: by number of links, how many of these rows had so many in the backup, and hold so many now, moved ones
            among them.
    """

    name: TableName
    key: tuple[str, ...]
    label: str | None
    worst: tuple[Row, ...]
    hit: int
    affected: int
    emptied: int
    gone: int
    before: Mapping[int, int]
    after: Mapping[int, int]

    @property
    def labelled(self) -> bool:
        """Whether its rows have names."""
        return any(row.label for row in self.worst)

    def scale(self, row: Row) -> float:
        """How many links a row had, in percent of the one of the worst that had the most."""
        return round(100 * row.had / max((r.had for r in self.worst), default=1), 1)


@dataclass(frozen=True)
class Junction:
    """A junction table that misses links: how many, what became of them, and of whom."""

    result: TableResult
    parents: tuple[ParentLoss, ...]
    classes: Mapping[str, int]
    moved_to: tuple[Mapping[str, Any], ...]
    blocked_by: Mapping[str, int]
    conflicts: Mapping[str, int]

    @property
    def name(self) -> str:
        """The table's name, as people write it."""
        return str(self.result.name)

    @property
    def holder(self) -> ParentLoss | None:
        """The parent of whose rows one misses the most links on average: the one that has a gallery, say, not the pictures."""
        return next((p for p in self.parents if p.hit), None)


@dataclass(frozen=True)
class Document:
    """Everything a report says. Values in it are masked already where `masked` is true. `findings` are (kind, sentence)."""

    title: str
    verdict: str
    complete: bool
    nothing_missing: bool
    masked: bool
    totals: Mapping[str, int]
    results: tuple[TableResult, ...]
    junctions: tuple[Junction, ...]
    changes: tuple[ColumnChange, ...]
    facts: tuple[Fact, ...]
    moments: tuple[Moment, ...]
    findings: tuple[tuple[str, str], ...] = ()
    damage: str | None = None
    unparsed: int = 0
    loss: Mapping[str, Any] | None = None
    cause: Mapping[str, Any] | None = None
    recovery: Mapping[str, Any] | None = None

    @property
    def hit(self) -> tuple[TableResult, ...]:
        """Tables that lost rows, or rows of which changed; the largest losses first."""
        found = [r for r in self.results if r.missing or r.changed]
        return tuple(sorted(found, key=lambda r: (-(r.missing or 0), -(r.changed or 0), r.name)))

    @property
    def intact(self) -> tuple[TableResult, ...]:
        """Tables every backup row of which is in live, unchanged, and no column of which took values."""
        took = {c.name for c in self.changes if c.values_missing}
        return tuple(r for r in self.results if r.intact and r.name not in took)

    @property
    def failed(self) -> tuple[TableResult, ...]:
        """Tables that could not be compared."""
        return tuple(r for r in self.results if r.state == "failed")

    @property
    def new(self) -> tuple[TableResult, ...]:
        """Tables that only live has."""
        return tuple(r for r in self.results if r.state == "new")

    @property
    def dropped(self) -> tuple[TableResult, ...]:
        """Tables that only the backup has."""
        return tuple(r for r in self.results if r.state == "dropped")

    @property
    def unclassified(self) -> tuple[tuple[str, str], ...]:
        """Junction tables whose loss could not be classified: (table, why)."""
        return tuple(
            (str(TableName(f["schema"], f["table"])), f["reason"])
            for f in (self.loss or {}).get("failed", ())
        )

    @property
    def noted(self) -> tuple[tuple[str, str], ...]:
        """What was noted of tables on the way: (table, note)."""
        said = [(str(r.name), note) for r in self.results for note in r.notes]
        for j in (self.loss or {}).get("junctions", ()):
            said += [(str(TableName(j["schema"], j["table"])), note) for note in j.get("notes", ())]
        return tuple(said)

    @property
    def links_missing(self) -> int:
        """How many of the missing rows are links."""
        return sum(j.result.missing or 0 for j in self.junctions)

    @property
    def values_missing(self) -> int:
        """How many values dropped columns took."""
        return sum(c.values_missing or 0 for c in self.changes)

    @property
    def drift(self) -> tuple[ColumnChange, ...]:
        """Columns that are gone or defined otherwise, those that took values first."""
        order = {"dropped": 0, "type": 1, "nullability": 2, "generated": 3, "default": 4}
        found = [c for c in self.changes if c.change != "added"]
        return tuple(
            sorted(
                found, key=lambda c: (-(c.values_missing or 0), order[c.change], c.name, c.column)
            )
        )

    @property
    def added_columns(self) -> Mapping[str, tuple[ColumnChange, ...]]:
        """Columns that only live has, by table."""
        found: dict[str, list[ColumnChange]] = {}
        for c in self.changes:
            if c.change == "added":
                found.setdefault(str(c.name), []).append(c)
        return {name: tuple(changes) for name, changes in found.items()}

    @property
    def backup_tables(self) -> int:
        """How many tables the backup holds; live's new ones are not among them."""
        return sum(r.state != "new" for r in self.results)

    @property
    def classes(self) -> Mapping[str, int] | None:
        """What became of the missing links, over all junction tables, or None where they were not classified."""
        return self.loss["totals"] if self.loss else None

    @property
    def survivors(self) -> tuple[tuple[Junction, str, int], ...]:
        """Where moved links are now: (junction table, place, links)."""
        return tuple((j, of(p), p["rows"]) for j in self.junctions for p in j.moved_to if p["rows"])

    @property
    def struck(self) -> tuple[Mapping[str, Any], ...]:
        """Statements that took rows or values, or changed some; the largest loss first."""
        return tuple(
            s
            for s in (self.cause or {}).get("statements", ())
            if s["rows"] or s.get("changed") or s.get("blanked")
        )

    @property
    def window(self) -> Mapping[str, Any] | None:
        """The incident window, where something of it is known."""
        window = self.loss.get("window") if self.loss else None
        return (
            window if window and (window.get("incident_at") or window.get("unobservable")) else None
        )


def gather(case: Case, *, mask: bool = True) -> Document:
    """Return what a report of `case` says.

    Args:
        case: an open case.
        mask: whether values of rows are masked.
    """
    backup = case.catalogs[0]
    shown = Mask(backup, on=mask)
    loss, cause, recovery = (case.store.get(n) for n in ("loss", "cause", "recovery"))
    evidence = case.evidence
    return Document(
        title=evidence.live.database
        or evidence.backup.database
        or PurePath(evidence.backup.path or "").name,
        verdict=case.verdict,
        complete=case.complete,
        nothing_missing=case.nothing_missing,
        masked=mask,
        totals=case.totals,
        results=tuple(replace(r, reason=shown.sentence(r.reason)) for r in case.results),
        junctions=_junctions(case, shown, loss),
        changes=tuple(case.store.changes()),
        facts=_facts(evidence.backup, evidence.live),
        moments=moments(case),
        findings=tuple((f["kind"], f["text"]) for f in case.store.get("findings") or ()),
        damage=case.damage,
        unparsed=len(backup.unparsed),
        loss=loss,
        cause=_shown_cause(cause, shown),
        recovery=_shown_recovery(recovery, shown),
    )


def of(entry: Mapping[str, Any]) -> str:
    """What an entry of the contract's JSON is about, as people write it: the table, and its column where it names one."""
    name = str(TableName(entry["schema"], entry["table"]))
    return f"{name}.{entry['column']}" if entry.get("column") else name


def report_json(case: Case, *, mask: bool = True) -> dict[str, Any]:
    """Return what the stages found, in the contract's JSON; stages that the case has not been through are left out."""
    shown = Mask(case.catalogs[0], on=mask)
    summary = case.summary()
    for table in summary["tables"]:
        table["reason"] = shown.sentence(table["reason"])
    found = {
        "summary": summary,
        "loss": case.store.get("loss"),
        "cause": _shown_cause(case.store.get("cause"), shown),
        "recovery": _shown_recovery(case.store.get("recovery"), shown),
    }
    return {n: v for n, v in found.items() if v is not None}


def moments(case: Case) -> tuple[Moment, ...]:
    """Return what is known of when things happened, in their order: backup, incident, comparison."""
    evidence = case.evidence
    window = (case.store.get("loss") or {}).get("window") or {}
    backup_at = (
        _time(case.store.get("backup_at") or window.get("backup_at"))
        or evidence.backup.dumped_at
        or evidence.backup.taken_at
    )
    incident_at = _time(case.store.get("incident_at") or window.get("incident_at"))
    looked_at = evidence.live.taken_at or evidence.live.dumped_at
    found = []
    if backup_at:
        then = (
            "written and destroyed in here: in neither side"
            if incident_at
            else "written since: not in the backup"
        )
        found.append(Moment("backup", backup_at, then))
    if incident_at:
        found.append(Moment("incident", incident_at, "written since: only in live"))
    if looked_at:
        found.append(Moment("comparison", looked_at))
    return tuple(sorted(found, key=lambda m: m.at))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _junctions(case: Case, mask: Mask, loss: Mapping[str, Any] | None) -> tuple[Junction, ...]:
    results = {r.name: r for r in case.results}
    found = []
    for said in (loss or {}).get("junctions", ()):
        if said["missing"]:
            result = results[TableName(said["schema"], said["table"])]
            parents = [parent_loss(case, s, mask) for s in said["spread"]]
            found.append(
                Junction(
                    result,
                    tuple(sorted(parents, key=lambda p: (p.hit, p.name))),
                    {c: said[c] for c in CLASSES},
                    tuple(said["moved_to"]),
                    said["blocked_by"],
                    said["conflicts"],
                )
            )
    return tuple(sorted(found, key=lambda j: (-(j.result.missing or 0), j.result.name)))


_WORST_ROWS = "SELECT columns('^k[0-9]+$'), label, gone, had, has + moved, missing FROM {} ORDER BY missing DESC, had DESC, columns('^k[0-9]+$') LIMIT {}"
_SPREAD = "SELECT {} AS links, count(*) FROM {} GROUP BY links ORDER BY links"


def parent_loss(case: Case, spread: Mapping[str, Any], mask: Mask) -> ParentLoss:
    """Return how the rows of one parent were hit, the worst of them as they may be shown.

    Args:
        case: an open case.
        spread: the parent's entry in the loss: its name, key, and the case's table of its rows.
        mask: what of a row is shown.
    """
    name, key, relation = (
        TableName(spread["schema"], spread["table"]),
        tuple(spread["key"]),
        spread["relation"],
    )
    with case.store.query() as cursor:
        rows = cursor.execute(_WORST_ROWS.format(relation, WORST)).fetchall()
        before, after = (
            dict(cursor.execute(_SPREAD.format(links, relation)).fetchall())
            for links in ("had", "has + moved")
        )
    show = mask.columns(name, key)
    worst = []
    for *values, label, gone, had, now, missing in rows:
        shown = ", ".join(show[c](v) or "NULL" for c, v in zip(key, values, strict=True))
        worst.append(Row(shown, mask.label(label), gone, had, missing, now))
    return ParentLoss(
        name,
        key,
        spread["label"],
        tuple(worst),
        sum(before.values()),
        spread["affected"],
        spread["emptied"],
        spread["gone"],
        before,
        after,
    )


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


def _facts(backup: Provenance, live: Provenance) -> tuple[Fact, ...]:
    found = []
    for name, attribute in _FACTS:
        values = [_fact(side, attribute) for side in (backup, live)]
        if set(values) != {"–"}:
            found.append(Fact(name, *values))
    whole = [
        "–" if side.kind == "database" else "yes" if side.complete else "no"
        for side in (backup, live)
    ]
    return (*found, Fact("whole to its last line", *whole))


def _fact(side: Provenance, attribute: str) -> str:
    value = getattr(side, attribute)
    if attribute == "bytes":
        return size(value)
    if attribute == "path" and value:
        # Where it lay on somebody's disk is nobody's business; which file it is, the digest says.
        return PurePath(value).name
    return fact(value)


def _shown_cause(cause: Mapping[str, Any] | None, mask: Mask) -> dict[str, Any] | None:
    """The cause, with what its statements write masked; the statements that took the most first."""
    if cause is None:
        return None
    statements = sorted(cause["statements"], key=lambda s: (-s["rows"], s["migration"], s["line"]))
    found = {**cause, "statements": [{**s, "sql": mask.sql(s["sql"])} for s in statements]}
    if "hazards" in cause:
        found["hazards"] = [{**h, "sql": mask.sql(h["sql"])} for h in cause["hazards"]]
    return found


def _shown_recovery(recovery: Mapping[str, Any] | None, mask: Mask) -> dict[str, Any] | None:
    """The plan, with the examples of rows that it names masked, and the server's words in it."""
    if recovery is None:
        return None
    options = [
        {
            **o,
            "destroyed": [_shown_examples(d, mask) for d in o.get("destroyed", ())],
            "proof": _shown_proof(o.get("proof"), mask),
        }
        for o in recovery["options"]
    ]
    found = {**recovery, "options": options, "problem": mask.sentence(recovery.get("problem"))}
    if rehearsal := recovery.get("rehearsal"):
        found["rehearsal"] = _shown_proof(rehearsal, mask)
    found["runbook"] = [
        {**step, "parts": [_shown_part(p, mask) for p in step["parts"]]}
        for step in recovery.get("runbook", ())
    ]
    return found


def _shown_part(part: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    """A part of the runbook, with the server's words in it masked; commands name tables and no values."""
    return {
        n: [mask.sentence(s) for s in v] if n == "list" else mask.sentence(v) if n == "text" else v
        for n, v in part.items()
    }


def _shown_proof(proof: Mapping[str, Any] | None, mask: Mask) -> dict[str, Any] | None:
    """What came of a rehearsal, with the server's words in it masked."""
    if proof is None:
        return None
    return {
        n: [mask.sentence(s) for s in v] if n in ("problems", "notes") else v
        for n, v in proof.items()
    }


def _shown_examples(destroyed: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    rows = []
    for row in destroyed.get("examples", ()):
        show = mask.columns(TableName(destroyed["schema"], destroyed["table"]), tuple(row))
        rows.append({c: show[c](v) for c, v in row.items()})
    return {**destroyed, "examples": rows}


def method(document: Document) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return how the findings came about and where they end, in plain words: (heading, sentences)."""
    keyless = sum(r.key_source == "all columns" and r.state == "compared" for r in document.results)
    how = (
        "The backup was read as it is: nothing of it was executed, and it was not restored.",
        "Live was asked for the same rows in one read-only snapshot, so that all tables show the same moment.",
        "Rows are compared by their key, on the columns that both sides have, as the text that PostgreSQL writes for each value. Equal means equal to the byte, "
        "after times and other values that a server may spell in several ways were brought to one spelling.",
        "For every table, missing, changed and unchanged rows add up to the backup’s, and added, changed and unchanged rows to live’s; a table for which they do not is not reported as compared.",
        *(
            (
                f"{counted(keyless, 'table')} without a usable key {'was' if keyless == 1 else 'were'} compared by whole rows: there, a changed row shows as one missing and one added.",
            )
            if keyless
            else ()
        ),
    )
    limits = (
        "A missing row need not be a loss: people and programs delete rows on purpose, before the incident and after it. Only what the report calls lost survives nowhere in live.",
        "Rows that were written after the backup and destroyed before live was read are in neither side.",
        "Compared are the rows of tables and the definitions of columns. Indexes, views, functions, triggers, privileges and what large objects hold are not.",
        "The report speaks of the two sides as they were when they were read, and of nothing that was written since.",
    )
    return ("How it was found out", how), ("What it does not say", limits)


_FIGURES = ("classes", "loss", "timeline", "totals")
_JUNCTION_FIGURES = ("by_parent", "distribution")


def figure(case: Case, name: str, width: int | None = None) -> Picture:
    """Return one figure of a case.

    Args:
        case: an open case.
        name: "loss", "totals", "timeline" or "classes".
        width: in pixels.

    Raises:
        UsageError: there is no figure of that name, or the case does not hold what it shows.
    """
    width = width or figures.WIDE
    if name == "loss":
        return figures.loss(case.results, width=width)
    if name == "totals":
        return figures.totals(case.totals, width=width)
    if name == "timeline":
        return figures.timeline(moments(case), width=width)
    if name == "classes":
        return figures.classes(case.loss["totals"], width=width)
    raise UsageError(
        f"There is no figure {name} of a case.", f"Choose one of {', '.join(_FIGURES)}."
    )


def junction_figure(
    case: Case,
    entry: Mapping[str, Any],
    name: str,
    *,
    spread: Mapping[str, Any] | None = None,
    width: int | None = None,
) -> Picture:
    """Return one figure of a junction table, with the names of rows as they are.

    Args:
        case: an open case.
        entry: the junction table's entry in the loss.
        name: "by_parent" or "distribution".
        spread: the parent's entry; None takes the parent of whose rows one misses the most links.
        width: in pixels.

    Raises:
        UsageError: there is no figure of that name.
    """
    if name not in _JUNCTION_FIGURES:
        raise UsageError(
            f"There is no figure {name} of a junction table.",
            f"Choose one of {', '.join(_JUNCTION_FIGURES)}.",
        )
    width = width or figures.WIDE
    mask = Mask(case.catalogs[0], on=False)
    found = sorted(
        (parent_loss(case, s, mask) for s in ([spread] if spread else entry["spread"])),
        key=lambda p: (not p.hit, p.hit, p.name),
    )
    hit = found[0]
    if name == "distribution":
        return figures.distribution(hit.before, hit.after, parent=str(hit.name), width=width)
    rows = [
        Hit(f"{r.label or r.key}{' (gone)' if r.gone else ''}", r.had, r.missing) for r in hit.worst
    ]
    return figures.parents(rows, parent=str(hit.name), width=width)
