"""The facade: one investigation, from both sides to what was found, with pandas at its surface.

import forensics as fx
case = fx.compare("backup.dump", "postgresql://…", case="cases/hotels")
case = fx.open_case("cases/hotels")
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from forensics.case.evidence import Evidence, escaped
from forensics.case.junctions import CaseJunction, churn_frame, find_junction, junction_frame
from forensics.case.tables import CaseTable
from forensics.case.window import Window
from forensics.compare.findings import find as find_findings
from forensics.compare.options import Listener, Options
from forensics.compare.tables import compare_sources
from forensics.errors import CaseError, LiveError, OutdatedError, UnknownTableError, UsageError
from forensics.evidence import Source, open_source
from forensics.evidence.migrations import histories
from forensics.loss import assess
from forensics.loss.junctions import find_junctions
from forensics.model import (
    COUNTS,
    Catalog,
    ColumnChange,
    Provenance,
    TableName,
    TableResult,
    plain,
    plain_catalog,
)
from forensics.store import Store, exists, interruptible, remove, write_private
from forensics.text import document, near_matches, visible

if TYPE_CHECKING:
    import pandas as pd

    from forensics.case.browse import Browser
    from forensics.case.cause import Cause
    from forensics.case.recovery import Recovery
    from forensics.figures import Picture

_LATE = "read from a later snapshot ({at}) than other tables: what was moved between them in the meantime may show as missing or added"
_SUMMED = ("backup_rows", "missing", "added", "changed", "unchanged")


def compare(
    backup: str | Path,
    live: str | Path,
    case: str | Path,
    *,
    options: Options | None = None,
    times: Mapping[str, datetime | None] | None = None,
    listener: Listener | None = None,
    force: bool = False,
) -> Case:
    """Compare a backup with a live database, table by table, into a case.

    Args:
        backup, live: paths to dumps, or anything that libpq takes.
        case: the folder to write; it must not hold a case yet, unless `options.resume` or `force`.
        options: which tables, by which keys, how many at a time, and whether to go on where a run ended.
        times: "backup_at" and "incident_at", where the evidence does not say.
        listener: is told how far it is.
        force: replace a case that is there.

    Returns:
        The case, open for reading. `case.complete` says whether every table of the backup was compared.

    Raises:
        UsageError, EvidenceError, CaseError: the question, a side, or the case is at fault.
    """
    options = options or Options()
    folder = Path(case)
    if exists(folder) and not options.resume and not force:
        raise CaseError(
            f"There is a case in {folder} already.",
            "Go on with it by --resume, replace it with --force, or choose another folder.",
        )
    backup_at, incident_at = ((times or {}).get(n) for n in ("backup_at", "incident_at"))
    if backup_at and incident_at and incident_at < backup_at:
        raise UsageError(
            f"The incident ({incident_at}) is said to be before the backup ({backup_at}).",
            "Check --backup-at and --incident-at.",
        )
    limits = {"lock_timeout": options.lock_timeout, "statement_timeout": options.statement_timeout}
    with (
        interruptible(),
        open_source(backup, role="backup", database=options.database, **limits) as ours,
        open_source(live, role="live", **limits) as theirs,
    ):
        if exists(folder) and force and not options.resume:
            remove(folder)
        ours.adopt(theirs.catalog)
        # Opening the case takes its lock: a second process is refused before it has asked live anything.
        store = Store(folder, write=True, memory=options.memory)
        try:
            for name in _begin(store, ours, theirs, options, times or {}):
                if listener:
                    listener.minds(
                        f"Table {name} of live is not what it was when it was compared: it is compared anew."
                    )
            if listener:
                for side in (ours, theirs):
                    for name, remedy in side.unreadable().items():
                        listener.minds(f"Table {name} cannot be read whole. Ask for: {remedy}")
                if ours.edits:
                    listener.minds(
                        f"The backup holds statements that change its rows and are not taken into account: {ours.edits[0]} …"
                    )
            compare_sources(ours, theirs, store, options, listener)
            _conclude(store, ours, theirs, listener)
        finally:
            store.close()
    found = open_case(folder)
    found.write_summary()
    found.write_loss()
    return found


def _begin(
    store: Store,
    backup: Source,
    live: Source,
    options: Options,
    times: Mapping[str, datetime | None],
) -> list[TableName]:
    """Record where a case comes from; return the tables whose results a resumed case has to find again."""
    before = store.get("evidence")
    outdated: list[TableName] = []
    if options.resume and before:
        for side, source in (("backup", backup), ("live", live)):
            if not _is_the_same(before[side], plain(source.provenance)):
                other = (
                    "backup"
                    if side == "backup"
                    else "live database"
                    if before[side]["kind"] == "database"
                    else "live side"
                )
                raise CaseError(
                    f"Case {store.folder} was begun with another {other}.",
                    "Resume it with the same one, or choose another folder.",
                )
        outdated = _outdated(store, live.catalog)
    facts = {
        "evidence": {"backup": plain(backup.identify()), "live": plain(live.identify())},
        "catalogs": {"backup": plain_catalog(backup.catalog), "live": plain_catalog(live.catalog)},
        "ddl": list(backup.statements()),
        "damage": backup.damage,
        "begun_at": datetime.now(UTC),
        "ended_at": None,
        "wishes": {"are": options.junctions, "are_not": options.not_junctions},
        **{name: at for name, at in times.items() if at is not None},
    }
    with store.transaction():  # a case that says where it came from says the rest too
        for name, value in facts.items():
            store.put(name, value)
        for table in outdated:
            store.forget(table)
    return outdated


def _is_the_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a side is the one that a case was begun with. A database may be reached by another host or role."""
    if "database" in (before["kind"], now["kind"]):
        return (before["kind"], before["database"]) == (now["kind"], now["database"])
    # A run that was killed early had not come to the hash yet: the size has to do then.
    told = "sha256" if before["sha256"] else "bytes"
    return bool(before[told] == now[told])


def _outdated(store: Store, live: Catalog) -> list[TableName]:
    """The tables that a case holds results of, and that live has dropped, made or altered since."""

    def shape(catalog: Catalog, name: TableName) -> object:
        table = catalog.tables.get(name)
        return table and (table.kind, table.columns, table.keys)

    _, before = store.catalogs()
    return [r.name for r in store.results() if shape(before, r.name) != shape(live, r.name)]


_TRIES = 4


def _conclude(store: Store, backup: Source, live: Source, listener: Listener | None) -> None:
    """What later stages need of the two sides, while they are open; and that the comparison went to its end."""
    sides = (backup, live)
    store.put("findings", _steadily(sides, listener, lambda: find_findings(backup, live, store)))
    store.put("history", _steadily(sides, listener, lambda: histories(backup, live)))
    _steadily(sides, listener, lambda: assess(backup, live, store, listener))
    store.put("evidence", {"backup": plain(backup.provenance), "live": plain(live.provenance)})
    store.put("ended_at", datetime.now(UTC))


_Answer = TypeVar("_Answer")


def _steadily(
    sides: Sequence[Source], listener: Listener | None, work: Callable[[], _Answer]
) -> _Answer:
    """Do a stage's work from one snapshot of each side: where one is taken away, do it all again from the next.

    Raises:
        LiveError: a database was lost, or cancels the queries again and again.
    """
    setback: OutdatedError | None = None
    for tries in range(_TRIES):
        time.sleep(tries and 2.0**tries / 4)
        before = [side.snapshot for side in sides]
        found: list[_Answer] = []
        try:
            found = [_apart(work, sides)]
            refusals = [r for side in sides if (r := side.unsettled())]
        except LiveError as error:
            refusals = []
            if not any([side.recovers(error) for side in sides]):  # noqa: C419 - each side has to look after itself
                raise
            setback = error if isinstance(error, OutdatedError) else setback
        for refusal in refusals:
            setback = refusal
            for side in sides:
                side.recovers(refusal)
        for side in sides:
            for text in side.news():
                if listener:
                    listener.minds(text)
        if found and not refusals and before == [side.snapshot for side in sides]:
            return found[0]
    raise setback or LiveError(
        "The database cannot be read from one snapshot for long enough.", "Go on with --resume."
    )


def _apart(work: Callable[[], _Answer], sides: Sequence[Source]) -> _Answer:
    """Do work in another thread, so that a Ctrl-C finds this one at once; what the work reads is then taken from it."""
    with ThreadPoolExecutor(1, thread_name_prefix="conclude") as pool:
        try:
            return pool.submit(work).result()
        except KeyboardInterrupt:
            for side in sides:
                side.close()
            raise


def open_case(folder: str | Path) -> Case:
    """Open a case that was written before. Neither the backup nor the database is needed.

    Raises:
        CaseError: there is none, or another process is writing it.
    """
    return Case(Path(folder))


class Case:
    """One investigation on disk, open for reading.

    Attributes:
        folder: where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder)
        if self.store.get("evidence") is None:
            self.close()
            raise CaseError(f"The case in {folder} was not begun.", "Compare again with --force.")

    def close(self) -> None:
        """Let go of the case file, so that another process can write it."""
        self.store.close()

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """Lend the case for writing; it is open for reading again afterwards.

        Raises:
            CaseError: another process has it open.
        """
        self.store.close()
        try:
            store = Store(self.folder, write=True)
            try:
                yield store
            finally:
                store.close()
        finally:
            self.store = Store(self.folder)

    def __enter__(self) -> Case:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what was found ----------------------------------------------------------------------------

    @cached_property
    def evidence(self) -> Evidence:
        """Provenance of both sides."""
        return Evidence(*self.store.evidence())

    @cached_property
    def catalogs(self) -> tuple[Catalog, Catalog]:
        """What the backup's schema says, and live's."""
        return self.store.catalogs()

    @cached_property
    def results(self) -> tuple[TableResult, ...]:
        """What comparing each table found, by name."""
        backup, live = self.catalogs
        known = {TableName(**j["name"]) for j in self.store.get("junctions") or ()}
        none = set((self.store.get("wishes") or {}).get("are_not", ()))
        junctions = {
            *(n for n in find_junctions(live) if not none & {n.table, str(n)}),
            *(known or find_junctions(backup)),
        }
        late = self._late
        return tuple(
            replace(
                r,
                junction=r.name in junctions,
                notes=r.notes + ((_LATE.format(at=late[r.name]),) if r.name in late else ()),
            )
            for r in self.store.results()
        )

    @cached_property
    def snapshots(self) -> list[dict[str, Any]]:
        """The moments of live (or of a backup that is a database) that tables were read at, the first one first.

        Each has `side`, `snapshot` (the server's name for it), `taken_at` and `tables`, by name. One a side is usual; there
        are more where a standby ended a snapshot, or where the comparison was resumed.
        """
        found: dict[tuple[str, str, str], list[str]] = {}
        for name, read in self.store.moments().items():
            for side, moment in read.items():
                found.setdefault((side, moment["taken_at"], moment["snapshot"]), []).append(
                    str(name)
                )
        return [
            {"side": side, "snapshot": snapshot, "taken_at": at, "tables": tables}
            for (side, at, snapshot), tables in sorted(found.items())
        ]

    @cached_property
    def _late(self) -> dict[TableName, str]:
        """By table, when it was read, where that was not at the first moment of its side."""
        first: dict[str, str] = {}
        for moment in self.snapshots:
            first.setdefault(moment["side"], moment["taken_at"])
        return {
            name: at["taken_at"]
            for name, read in self.store.moments().items()
            for side, at in read.items()
            if at["taken_at"] != first[side]
        }

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the numbers right, in sentences."""
        said = []
        for side in ("backup", "live"):
            moments = [m for m in self.snapshots if m["side"] == side]
            if len(moments) > 1:
                when = "; ".join(f"{len(m['tables'])} at {m['taken_at']}" for m in moments)
                said.append(
                    f"The tables of the {side} database were read from {len(moments)} snapshots ({when}), because the first did not last or the "
                    "run was resumed. Rows that were moved from table to table in between can seem to be in neither or in both, and "
                    "links to rows that came or went in between can seem broken."
                )
        return said

    @property
    def damage(self) -> str | None:
        """Why the backup is not whole, or None."""
        found: str | None = self.store.get("damage")
        return found

    @property
    def complete(self) -> bool:
        """Whether the comparison ran to its end and every table of a whole backup was compared."""
        ended = self.store.get("ended_at") is not None
        return ended and not self.damage and all(r.state != "failed" for r in self.results)

    @property
    def nothing_missing(self) -> bool:
        """Whether no row and no value of a dropped column is missing, as far as was compared."""
        return not any(r.missing for r in self.results) and not any(
            c.values_missing for c in self.store.changes()
        )

    @property
    def totals(self) -> dict[str, int]:
        """How many tables there are on either side, and sums over them."""
        ours = [r for r in self.results if r.state != "new"]
        sums = {
            name: sum(getattr(r, name) or 0 for r in (self.results if name == "added" else ours))
            for name in _SUMMED
        }
        return {"tables": len(self.results), **sums}

    @property
    def verdict(self) -> str:
        """What was found, in a sentence or two."""
        return _verdict(self)

    # --- pandas ------------------------------------------------------------------------------------

    @property
    def tables(self) -> pd.DataFrame:
        """One row a table: state, counts, key; the worst first."""
        import pandas as pd

        rows = [
            {
                "schema": r.name.schema,
                "table": r.name.table,
                "state": r.state,
                "junction": r.junction,
                **{c: getattr(r, c) for c in COUNTS},
                "key": ", ".join(r.key),
                "key source": r.key_source,
                "reason": r.reason,
                "seconds": round(r.seconds, 3),
            }
            for r in sorted(
                self.results, key=lambda r: (-(r.missing or 0), -(r.changed or 0), r.name)
            )
        ]
        frame = pd.DataFrame(
            rows,
            columns=[
                "schema",
                "table",
                "state",
                "junction",
                *COUNTS,
                "key",
                "key source",
                "reason",
                "seconds",
            ],
        )
        return frame.astype(dict.fromkeys(COUNTS, "Int64"))

    @property
    def columns(self) -> pd.DataFrame:
        """Schema drift: one row a difference between the two sides' columns."""
        import pandas as pd

        names = ["schema", "table", "column", "change", "before", "after", "values_missing"]
        frame = pd.DataFrame([_change(c) for c in self.store.changes()], columns=names)
        return frame.astype({"values_missing": "Int64"})

    def _findings(self) -> list[dict[str, Any]]:
        return [
            {**f["name"], **{k: v for k, v in f.items() if k != "name"}}
            for f in self.store.get("findings") or ()
        ]

    @property
    def findings(self) -> pd.DataFrame:
        """What the counts alone do not say, with the evidence: new names of tables, columns and keys, sequences behind their data, …"""
        import pandas as pd

        rows = self._findings()
        return pd.DataFrame(
            rows, columns=["kind", "schema", "table", "other", "rows", "of", "text"]
        ).astype({"rows": "Int64", "of": "Int64"})

    def table(self, name: str) -> CaseTable:
        """One table by name: `hotels`, `public.hotels`, `"Odd.Schema"."Mixed"`.

        Raises:
            UnknownTableError: the case has no such table; the message names near matches.
        """
        return CaseTable(self, self.result(name))

    def result(self, name: str) -> TableResult:
        """What was found of one table, by name.

        Raises:
            UnknownTableError: the case has no such table; the message names near matches.
        """
        spelled: dict[str, TableResult] = {}
        for r in self.results:
            for form in (str(r.name), f"{r.name.schema}.{r.name.table}", r.name.sql):
                spelled[form] = r
        for r in self.results:
            # A bare name means the table wherever it is, where only one has it.
            if sum(o.name.table == r.name.table for o in self.results) == 1:
                spelled.setdefault(r.name.table, r)
        if name in spelled:
            return spelled[name]
        every = sorted(map(str, (r.name for r in self.results)))
        raise UnknownTableError(
            f"The case has no table {name}.", near_matches(name, every, "case.tables lists them.")
        )

    # --- loss --------------------------------------------------------------------------------------

    @cached_property
    def loss(self) -> dict[str, Any]:
        """What the missing junction rows mean: what `loss --json` prints.

        Raises:
            CaseError: the comparison did not get that far.
        """
        found: dict[str, Any] | None = self.store.get("loss")
        if found is None:
            raise CaseError(
                f"The loss of case {self.folder} was not classified.",
                "Go on with: compare … --resume.",
            )
        return found

    @property
    def junctions(self) -> pd.DataFrame:
        """One row a junction table: its missing rows by class, parents affected and emptied; the worst first."""
        return junction_frame(self.loss)

    def junction(self, name: str) -> CaseJunction:
        """One junction table by name.

        Raises:
            UnknownTableError: the case has no such junction table; the message names near matches.
        """
        return find_junction(self, name)

    @property
    def churn(self) -> pd.DataFrame:
        """Loss or life: one row a surviving table that misses rows, with how they went and whether that is usual."""
        return churn_frame(self.loss)

    @property
    def window(self) -> Window:
        """From the backup to the incident, and what was probably written in between."""
        return Window(self.loss["window"])

    # --- what is shown -----------------------------------------------------------------------------

    def report(self, path: str | Path, mask: bool = True) -> Path:
        """Write the report: .html, .xlsx, .md, .json or .zip, by the suffix of `path`; return its path.

        Args:
            path: where to; a report that is there is replaced.
            mask: whether values of rows are masked.

        Raises:
            ReportError: there is no such form, or the file cannot be written.
        """
        from forensics import report

        return report.write(self, path, mask=mask)

    def figure(self, name: str, width: int | None = None) -> Picture:
        """One figure: "loss", "totals", "timeline" or "classes"; it shows itself, and `.save("x.svg")` writes it.

        Args:
            name: which.
            width: in pixels.

        Raises:
            UsageError: there is none of that name, or the case does not hold what it shows.
        """
        from forensics.report import tables

        return tables.figure(self, name, width)

    def cause(
        self, migrations: str | Path | None = None, *, ran: Sequence[str] | None = None
    ) -> Cause:
        """Which migration statement did it: the migrations that ran since the backup, replayed and counted.

        Args:
            migrations: the folder of the migrations; None shows what was found before.
            ran: names or shell patterns of migrations that ran, where no history table says so; None for those of the last time.

        Raises:
            MigrationError: it is no migration folder, or a file of it does not parse.
            CaseError: nothing was found before, or another process has the case open.
        """
        from forensics.case.cause import find_cause

        return find_cause(self, migrations, ran=None if ran is None else tuple(ran))

    @cached_property
    def recovery(self) -> Recovery:
        """What can come back, at what price; the scripts, and their rehearsal."""
        from forensics.case.recovery import Recovery

        return Recovery(self)

    def browse(self) -> Browser:
        """Look around: choose a junction table and a row of a parent, and see its missing links.

        Without a running kernel behind it (as HTML, in a mail) it shows the rows that miss the most.
        """
        from forensics.case.browse import Browser

        return Browser(self)

    # --- JSON --------------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """What `compare --json` prints."""
        evidence = self.evidence
        return {
            "backup": _backup(evidence.backup, self.damage),
            "live": {
                **_live(evidence.live),
                "snapshots": [_without_side(m) for m in self.snapshots if m["side"] == "live"],
            },
            "complete": self.complete,
            "tables": [
                {
                    "schema": r.name.schema,
                    "table": r.name.table,
                    "state": r.state,
                    "reason": r.reason,
                    "junction": r.junction,
                    "key": list(r.key),
                    "key_source": r.key_source,
                    **{c: getattr(r, c) for c in COUNTS},
                    "notes": list(r.notes),
                }
                for r in self.results
            ],
            "columns": [_change(c) for c in self.store.changes()],
            "findings": self._findings(),
            "notes": self.notes,
            "totals": self.totals,
        }

    def write_summary(self) -> None:
        """Write `summary.json` into the case's folder."""
        self._write("summary.json", self.summary())

    def write_loss(self) -> None:
        """Write `loss.json` into the case's folder.

        Raises:
            CaseError: the comparison did not get that far.
        """
        self._write("loss.json", self.loss)

    def _write(self, name: str, value: dict[str, Any]) -> None:
        write_private(self.folder / name, document(value))

    def _repr_html_(self) -> str:
        totals = " · ".join(
            f"<b>{v:,}</b> {escaped(k.replace('_', ' '))}" for k, v in self.totals.items()
        )
        return f"<p><b>{escaped(self.verdict)}</b></p><p>{totals}</p><p><code>{escaped(self.folder)}</code></p>"

    def __repr__(self) -> str:
        return visible(f"<Case {self.folder}: {self.verdict}>")


def _without_side(moment: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in moment.items() if name != "side"}


def _change(change: ColumnChange) -> dict[str, Any]:
    value = {f.name: getattr(change, f.name) for f in fields(change) if f.name != "name"}
    return {"schema": change.name.schema, "table": change.name.table, **value}


def _backup(p: Provenance, damage: str | None) -> dict[str, Any]:
    names = (
        "kind",
        "path",
        "sha256",
        "bytes",
        "compression",
        "server_version",
        "dump_version",
        "dumped_at",
        "complete",
        "encoding",
        "database",
    )
    found = {n: plain(getattr(p, n)) for n in names}
    if p.kind == "database":
        found |= {"dsn": p.dsn, "snapshot": p.snapshot, "taken_at": plain(p.taken_at)}
    return {**found, "damage": damage}


def _live(p: Provenance) -> dict[str, Any]:
    names = (
        "kind",
        "dsn",
        "path",
        "sha256",
        "server_version",
        "snapshot",
        "taken_at",
        "database",
        "encoding",
    )
    return {n: plain(getattr(p, n)) for n in names}


def _verdict(case: Case) -> str:
    dropped = [r for r in case.results if r.state == "dropped"]
    failed = [r for r in case.results if r.state == "failed"]
    hit = [r for r in case.results if r.state == "compared" and r.missing]
    missing = sum(r.missing or 0 for r in (*dropped, *hit))
    junction = sum(r.missing or 0 for r in (*dropped, *hit) if r.junction)
    values = sum(c.values_missing or 0 for c in case.store.changes())
    said = []
    if missing:
        where = _listed(
            [f"{len(dropped)} dropped {_plural(len(dropped), 'table')}"] * bool(dropped)
            + [f"{len(hit)} surviving {_plural(len(hit), 'table')}"] * bool(hit)
        )
        said.append(
            f"{missing:,} backup rows are missing from live, in {where}; {junction:,} of them are links of junction tables."
        )
    if values:
        said.append(f"Dropped columns took {values:,} values.")
    if not missing and not values:
        said.append("Nothing that was compared is missing from live.")
    if failed:
        said.append(
            f"{len(failed)} {_plural(len(failed), 'table')} could not be compared: {_listed([str(r.name) for r in failed[:3]])}{' and others' * (len(failed) > 3)}."
        )
    if case.damage:
        said.append(f"The backup is not whole: {case.damage}.")
    return " ".join(said)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else word + "s"


def _listed(items: Sequence[str]) -> str:
    return (
        items[0]
        if len(items) == 1
        else ", ".join(items[:-1]) + " and " + items[-1]
        if items
        else ""
    )


def parse_time(text: str) -> datetime:
    """Read a time as people write it (ISO 8601); one without an offset is taken as UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text} is not a time.", "Write it like 2026-01-02T10:40:07Z.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
