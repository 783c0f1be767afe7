"""The facade: one investigation, from both sides to what was found, with pandas at its surface.

import forensics as fx
case = fx.compare("backup.dump", "postgresql://…", case="cases/hotels")
case = fx.open_case("cases/hotels")
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.case.evidence import Evidence
from forensics.case.junctions import CaseJunction, churn_frame, find_junction, junction_frame
from forensics.case.tables import CaseTable
from forensics.case.window import Window
from forensics.case.words import near_matches
from forensics.compare import Listener, Options, compare_sources
from forensics.compare.findings import find as find_findings
from forensics.errors import CaseError, UnknownTableError, UsageError
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
from forensics.store import Store, exists, make_private, remove

if TYPE_CHECKING:
    import pandas as pd

    from forensics.case.browse import Browser
    from forensics.case.cause import Cause
    from forensics.case.recovery import Recovery
    from forensics.report.figures import Picture

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
            f"There is a case in {folder} already.", "Go on with it by --resume, replace it with --force, or choose another folder."
        )
    limits = {"lock_timeout": options.lock_timeout, "statement_timeout": options.statement_timeout}
    with (
        open_source(backup, role="backup", database=options.database, **limits) as ours,
        open_source(live, role="live", **limits) as theirs,
    ):
        if exists(folder) and force and not options.resume:
            remove(folder)
        ours.adopt(theirs.catalog)
        # Opening the case takes its lock: a second process is refused before it has asked live anything.
        store = Store(folder, write=True, memory=options.memory)
        try:
            _begin(store, ours, theirs, options, times or {})
            if listener:
                for side in (ours, theirs):
                    for name, remedy in side.unreadable().items():
                        listener.minds(f"Table {name} cannot be read whole. Ask for: {remedy}")
                if ours.edits:
                    listener.minds(f"The backup holds statements that change its rows and are not taken into account: {ours.edits[0]} …")
            compare_sources(ours, theirs, store, options, listener)
            _conclude(store, ours, theirs, listener)
        finally:
            store.close()
    found = open_case(folder)
    found.write_summary()
    found.write_loss()
    return found


def _begin(store: Store, backup: Source, live: Source, options: Options, times: Mapping[str, datetime | None]) -> None:
    before = store.get("evidence")
    if options.resume and before:
        # A run that was killed early had not come to the hash yet: the size has to do then.
        told = "sha256" if before["backup"]["sha256"] else "bytes"
        if before["backup"][told] != plain(backup.provenance)[told]:
            raise CaseError(
                f"Case {store.folder} was begun with another backup.", "Resume it with the same file, or choose another folder."
            )
    store.put("evidence", {"backup": plain(backup.identify()), "live": plain(live.identify())})
    store.put("catalogs", {"backup": plain_catalog(backup.catalog), "live": plain_catalog(live.catalog)})
    store.put("ddl", list(backup.statements()))
    store.put("damage", backup.damage)
    store.put("begun_at", datetime.now(UTC))
    store.put("ended_at", None)
    store.put("wishes", {"are": options.junctions, "are_not": options.not_junctions})
    for name, at in times.items():
        if at is not None:
            store.put(name, at)


def _conclude(store: Store, backup: Source, live: Source, listener: Listener | None) -> None:
    """What later stages need of the two sides, while they are open; and that the comparison went to its end."""
    store.put("evidence", {"backup": plain(backup.provenance), "live": plain(live.provenance)})
    store.put("findings", find_findings(backup, live, store))
    store.put("history", histories(backup, live))
    assess(backup, live, store, listener)
    store.put("ended_at", datetime.now(UTC))


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
        junctions = {*(n for n in find_junctions(live) if not none & {n.table, str(n)}), *(known or find_junctions(backup))}
        return tuple(replace(r, junction=r.name in junctions) for r in self.store.results())

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
        return not any(r.missing for r in self.results) and not any(c.values_missing for c in self.store.changes())

    @property
    def totals(self) -> dict[str, int]:
        """How many tables there are on either side, and sums over them."""
        ours = [r for r in self.results if r.state != "new"]
        sums = {name: sum(getattr(r, name) or 0 for r in (self.results if name == "added" else ours)) for name in _SUMMED}
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
                "schema": r.name.schema, "table": r.name.table, "state": r.state, "junction": r.junction,
                **{c: getattr(r, c) for c in COUNTS},
                "key": ", ".join(r.key), "key source": r.key_source, "reason": r.reason, "seconds": round(r.seconds, 3),
            }
            for r in sorted(self.results, key=lambda r: (-(r.missing or 0), -(r.changed or 0), r.name))
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["schema", "table", "state", "junction", *COUNTS, "key", "key source", "reason", "seconds"])
        return frame.astype(dict.fromkeys(COUNTS, "Int64"))

    @property
    def columns(self) -> pd.DataFrame:
        """Schema drift: one row a difference between the two sides' columns."""
        import pandas as pd

        names = ["schema", "table", "column", "change", "before", "after", "values_missing"]
        frame = pd.DataFrame([_change(c) for c in self.store.changes()], columns=names)
        return frame.astype({"values_missing": "Int64"})

    def _findings(self) -> list[dict[str, Any]]:
        return [{**f["name"], **{k: v for k, v in f.items() if k != "name"}} for f in self.store.get("findings") or ()]

    @property
    def findings(self) -> pd.DataFrame:
        """What the counts alone do not say: renamed tables and columns, sequences behind their data, with the evidence."""
        import pandas as pd

        rows = self._findings()
        return pd.DataFrame(rows, columns=["kind", "schema", "table", "other", "rows", "of", "text"]).astype(
            {"rows": "Int64", "of": "Int64"}
        )

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
        raise UnknownTableError(f"The case has no table {name}.", near_matches(name, every, "case.tables lists them."))

    # --- loss --------------------------------------------------------------------------------------

    @cached_property
    def loss(self) -> dict[str, Any]:
        """What the missing junction rows mean: what `loss --json` prints.

        Raises:
            CaseError: the comparison did not get that far.
        """
        found: dict[str, Any] | None = self.store.get("loss")
        if found is None:
            raise CaseError(f"The loss of case {self.folder} was not classified.", "Go on with: compare … --resume.")
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

    def cause(self, migrations: str | Path | None = None, *, ran: Sequence[str] = ()) -> Cause:
        """Which migration statement did it: the migrations that ran since the backup, replayed and counted.

        Args:
            migrations: the folder of the migrations; None shows what was found before.
            ran: names or shell patterns of migrations that ran, where no history table says so.

        Raises:
            MigrationError: it is no migration folder, or a file of it does not parse.
            CaseError: nothing was found before, or another process has the case open.
        """
        from forensics.case.cause import find_cause

        return find_cause(self, migrations, ran=tuple(ran))

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
            "live": _live(evidence.live),
            "complete": self.complete,
            "tables": [
                {
                    "schema": r.name.schema, "table": r.name.table, "state": r.state, "reason": r.reason,
                    "junction": r.junction, "key": list(r.key), "key_source": r.key_source,
                    **{c: getattr(r, c) for c in COUNTS}, "notes": list(r.notes),
                }
                for r in self.results
            ],
            "columns": [_change(c) for c in self.store.changes()],
            "findings": self._findings(),
            "totals": self.totals,
        }  # fmt: skip

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
        make_private(self.folder)
        path = self.folder / name
        path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        path.chmod(0o600)

    def _repr_html_(self) -> str:
        totals = " · ".join(f"<b>{v:,}</b> {html.escape(k.replace('_', ' '))}" for k, v in self.totals.items())
        return f"<p><b>{html.escape(self.verdict)}</b></p><p>{totals}</p><p><code>{html.escape(str(self.folder))}</code></p>"

    def __repr__(self) -> str:
        return f"<Case {self.folder}: {self.verdict}>"


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
    names = ("kind", "dsn", "path", "sha256", "server_version", "snapshot", "taken_at", "database", "encoding")
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
        said.append(f"{missing:,} backup rows are missing from live, in {where}; {junction:,} of them are links of junction tables.")
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
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""


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
