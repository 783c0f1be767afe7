"""The facade: one investigation on disk, with pandas at its surface.

import forensics as fx
case = fx.compare("backup.dump", "postgresql://…", case="cases/hotels")
case = fx.open_case("cases/hotels")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.case import frames, snapshots
from forensics.case.bounds import may_lack_rows
from forensics.case.evidence import Evidence
from forensics.case.names import by_name
from forensics.case.showing import escaped
from forensics.case.summary import findings_json, loss_json, overwritten_json, summary
from forensics.case.sums import counted, totals
from forensics.case.tables import CaseTable
from forensics.case.unknown import unknown
from forensics.case.verdict import nothing_missing, verdict
from forensics.case.window import Window
from forensics.errors import CaseError
from forensics.loss.junctions import find_junctions
from forensics.loss.others import others
from forensics.model import Catalog, TableName, TableResult
from forensics.store import Known, Store, write_private
from forensics.text import count, document, visible

if TYPE_CHECKING:
    import pandas as pd

    from forensics.case.cause import Cause
    from forensics.case.clicks import Browser
    from forensics.case.junctions import CaseJunction
    from forensics.case.recovery import Recovery
    from forensics.figures import Picture


def open_case(folder: str | Path) -> Case:
    """Open a case that was written before. Neither the backup nor the database is needed.

    Raises:
        CaseError: there is none, or another process is writing it.
    """
    return Case(Path(folder))


class Case:
    """One investigation on disk, for reading.

    Attributes:
        folder: where it lies.
        store: the case file.
        standing: what has to be known of live since, where somebody looked; else empty.
    """

    standing = ""

    def __init__(self, folder: Path, known: Known | None = None) -> None:
        self.folder = folder
        self.store = Store(folder, known=known)
        if self.store.get("evidence") is None:
            self.close()
            raise CaseError(f"The case in {folder} was not begun.", "Compare again with --force.")

    def close(self) -> None:
        """Let go of the case."""
        self.store.close()

    def writing(self) -> AbstractContextManager[Store]:
        """Lend the case for adding results: all of them are put in place at the end, or none.

        Raises:
            CaseError: another process writes it.
        """
        return self.store.revised()

    def __enter__(self) -> Case:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what was found ---------------------------------------------------------------------------

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
        with self.store.reading():
            junctions = _junction_names(self.store, self.catalogs)
            moments = self.store.moments()
            found = self.store.results()
        late = snapshots.late_notes(moments, self.snapshots)
        results = []
        for result in found:
            if result.name in late:
                result = replace(result, notes=(*result.notes, late[result.name]))
            if result.name in junctions:
                result = replace(result, junction=True)
            results.append(result)
        return tuple(results)

    @cached_property
    def snapshots(self) -> list[dict[str, Any]]:
        """The moments of live (or of a backup that is a database) that tables were read at.

        Each has `side`, `snapshot` (the server's name for it), `taken_at` and `tables`, by name.
        One a side is usual; there are more where a standby ended a snapshot, or where the
        comparison was resumed. The first one comes first.
        """
        return snapshots.snapshots(self.store.moments())

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the numbers right, in sentences."""
        return snapshots.notes(self.snapshots)

    @property
    def damage(self) -> str | None:
        """Why the backup is not whole, or None."""
        found: str | None = self.store.get("damage")
        return found

    @property
    def complete(self) -> bool:
        """Whether the comparison ran to its end and compared every table of a whole backup."""
        if self.store.get("ended_at") is None or self.damage:
            return False
        return all(result.state != "failed" for result in self.results)

    @property
    def unknown(self) -> list[str]:
        """What could not be worked out although the tables were compared, in sentences."""
        return unknown(self.store)

    @property
    def nothing_missing(self) -> bool:
        """Whether no row, link or value of a dropped column is gone, as far as was compared."""
        return nothing_missing(self.results, self.store.changes(), others(self.store))

    @property
    def totals(self) -> dict[str, int | None]:
        """How many tables there are, and sums over them; None where one that failed has a part."""
        return totals(self.results)

    @property
    def counted(self) -> dict[str, int]:
        """The same sums over what was compared: no total is less."""
        return counted(self.results)

    @property
    def verdict(self) -> str:
        """What was found, in a sentence or two."""
        other, lacking = others(self.store), may_lack_rows(self.store)
        found = verdict(self.results, self.store.changes(), self.damage, other, lacking)
        return " ".join([found, *self.unknown])

    # --- pandas -----------------------------------------------------------------------------------

    @property
    def tables(self) -> pd.DataFrame:
        """One row a table: state, counts, key; the worst first."""
        return frames.tables_frame(self.results)

    @property
    def columns(self) -> pd.DataFrame:
        """Schema drift: one row a difference between the two sides' columns."""
        return frames.columns_frame(self.store.changes())

    @property
    def findings(self) -> pd.DataFrame:
        """What the counts alone do not say, with the evidence.

        New names of tables, columns and keys, sequences behind their data, …
        """
        return frames.findings_frame(findings_json(self))

    @property
    def overwritten(self) -> pd.DataFrame:
        """What changed values have in common: one row a column, an example of each masked."""
        return frames.overwritten_frame(overwritten_json(self))

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
        known = [(result.name, result) for result in self.results]
        return by_name(name, known, "table", "case.tables lists them.")

    # --- loss -------------------------------------------------------------------------------------

    @cached_property
    def loss(self) -> dict[str, Any]:
        """What the missing junction rows mean: what `loss --json` prints.

        Raises:
            CaseError: the comparison did not get that far.
        """
        return loss_json(self)

    @property
    def junctions(self) -> pd.DataFrame:
        """One row a junction table: its missing rows by class, and its parents; the worst first."""
        return frames.junction_frame(self.loss)

    def junction(self, name: str) -> CaseJunction:
        """One junction table by name.

        Raises:
            UnknownTableError: the case has no such junction table; the message names near matches.
        """
        from forensics.case.junctions import find_junction

        return find_junction(self, name)

    @property
    def churn(self) -> pd.DataFrame:
        """Loss or life: one row a surviving table that misses rows, and whether that is usual."""
        return frames.churn_frame(self.loss)

    @property
    def concentration(self) -> pd.DataFrame:
        """Where the loss is: what most of a table's lost rows have in common; values masked."""
        return frames.concentration_frame(self.loss)

    @property
    def window(self) -> Window:
        """From the backup to the incident, and what was probably written in between."""
        return Window(self.loss["window"])

    # --- what is shown ----------------------------------------------------------------------------

    def report(self, path: str | Path, mask: bool = True, **asked: Any) -> Path:
        """Write the report: .html, .xlsx, .md, .json or .zip, by the suffix of `path`.

        Args:
            path: where to; a report that is there is replaced. It is returned.
            mask: whether values of rows are masked.
            asked: `show`, `hide` (columns), `sections` (names) or `slides=True`.

        Raises:
            ReportError: there is no such form, or the file cannot be written.
        """
        from forensics.report.writing import write

        with self.store.reading():  # a hundred looks, for which the file is opened once
            return write(self, path, mask=mask, **asked)

    def figure(self, name: str, width: int | None = None) -> Picture:
        """One figure: "loss", "totals", "timeline" or "classes".

        It shows itself, and `.save("x.svg")` writes it.

        Args:
            name, width: which, and how wide in pixels.

        Raises:
            UsageError: there is none of that name, or the case does not hold what it shows.
        """
        from forensics.report import drawn

        return drawn.figure(self, name, width)

    def cause(
        self, migrations: str | Path | None = None, *, ran: Sequence[str] | None = None
    ) -> Cause:
        """Which migration statement did it: migrations since the backup, replayed and counted.

        Args:
            migrations: the folder of the migrations; None shows what was found before.
            ran: names or shell patterns of migrations that ran, where no history table says so;
                None for those of the last time.

        Raises:
            MigrationError: it is no migration folder, or a file of it does not parse.
            CaseError: nothing was found before, or another process writes the case.
        """
        from forensics.case.cause import find_cause

        return find_cause(self, migrations, ran=None if ran is None else tuple(ran))

    @cached_property
    def recovery(self) -> Recovery:
        """What can come back, at what price; the scripts, and their rehearsal."""
        from forensics.case.recovery import Recovery

        return Recovery(self)

    def browse(self) -> Browser:
        """Look around: click a table, a parent of its rows and a row, and see it before and after.

        Without a running kernel behind it (as HTML, in a mail) it shows what is hit the most.
        """
        from forensics.case.clicks import Browser

        return Browser(self)

    # --- JSON -------------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """What `compare --json` prints."""
        with self.store.reading():
            return summary(self)

    def write_summary(self) -> None:
        """Write `summary.json` into the case's folder."""
        write_private(self.folder / "summary.json", document(self.summary()))

    def write_loss(self) -> None:
        """Write `loss.json` into the case's folder.

        Raises:
            CaseError: the comparison did not get that far.
        """
        write_private(self.folder / "loss.json", document(self.loss))

    def _repr_html_(self) -> str:
        return (
            f"<p><b>{escaped(self.verdict)}</b></p>"
            f"<p>{_totals_html(self.totals, self.results)}</p>"
            f"<p>{escaped(self.evidence.as_of)} {escaped(self.standing)}</p>"
            f"<p><code>{escaped(self.folder)}</code></p>"
        )

    def __repr__(self) -> str:
        return visible(f"<Case {self.folder}: {self.verdict}>")


def _totals_html(totals: Mapping[str, int | None], results: Sequence[TableResult]) -> str:
    said = []
    new = sum(result.state == "new" for result in results)
    for name, number in totals.items():
        more = f" ({new:,} of them only in live)" if name == "tables" and new else ""
        said.append(f"<b>{count(number)}</b> {escaped(name.replace('_', ' '))}{more}")
    return " · ".join(said)


def _junction_names(store: Store, catalogs: tuple[Catalog, Catalog]) -> set[TableName]:
    """Junction tables of either side: as loss found them, and as live's structure tells."""
    backup, live = catalogs
    wishes = store.get("wishes") or {}
    are_none = set(wishes.get("are_not", ()))
    told = store.get("junctions")
    found = {TableName(**junction["name"]) for junction in told or ()}
    if not found:
        found.update(find_junctions(backup))
    for name in find_junctions(live):
        if told is not None and name in backup.tables:
            continue  # loss looked at it, and found no links in it
        if not are_none & {name.table, str(name)}:
            found.add(name)
    return found
