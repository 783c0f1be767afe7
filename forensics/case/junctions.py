"""Loss per junction table, and each junction table with its links and parents, as DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from forensics.case.evidence import escaped
from forensics.case.evidence import shown as as_text
from forensics.case.tables import text_type
from forensics.errors import UnknownTableError
from forensics.loss import LOST
from forensics.loss.junctions import parent_of
from forensics.model import Parent, TableName
from forensics.text import near_matches, visible

if TYPE_CHECKING:
    import pandas as pd

    from forensics.case.facade import Case
    from forensics.figures import Picture

_SHOWN = ("missing", "moved", "superseded", "lost", *LOST)


def junction_frame(loss: dict[str, Any]) -> pd.DataFrame:
    """One row a junction table: what is missing by class, and how many parents are affected and emptied; the worst first."""
    import pandas as pd

    rows = [
        {
            "schema": j["schema"],
            "table": j["table"],
            "parents": ", ".join(dict.fromkeys(p["table"] for p in j["parents"])),
            **{c: j[c] for c in _SHOWN},
            "affected": sum(j["affected"].values()),
            "emptied": sum(j["emptied"].values()),
            "moved to": ", ".join(place(m) for m in j["moved_to"] if m["rows"]) or None,
        }
        for j in sorted(
            loss["junctions"], key=lambda j: (-j["lost"], -j["missing"], j["schema"], j["table"])
        )
    ]
    return pd.DataFrame(
        rows, columns=["schema", "table", "parents", *_SHOWN, "affected", "emptied", "moved to"]
    )


def place(moved: dict[str, Any]) -> str:
    """A place to which links moved, as people write it."""
    table = str(TableName(moved["schema"], moved["table"]))
    return f"{table}.{moved['column']}" if moved["column"] else table


def churn_frame(loss: dict[str, Any]) -> pd.DataFrame:
    """One row a surviving table that misses rows: gone by cascade, expired, unfit, alone; what is usual; life or out of line."""
    import pandas as pd

    counts = ["missing", "cascaded", "expired", "unfit", "alone", "usual"]
    frame = pd.DataFrame(loss["churn"], columns=["schema", "table", "verdict", *counts, "basis"])
    return frame.astype(dict.fromkeys(counts, "Int64"))


class CaseJunction:
    """One junction table of a case: what became of its missing links, and what that means for its parents.

    Attributes:
        name: the table.
        entry: what `loss --json` says of it.
    """

    def __init__(self, case: Case, entry: dict[str, Any]) -> None:
        self._case = case
        self.entry = entry
        self.name = TableName(entry["schema"], entry["table"])

    @property
    def parents(self) -> tuple[Parent, ...]:
        """The tables that its rows link, and the columns that do."""
        return tuple(parent_of(p) for p in self.entry["parents"])

    @property
    def rows(self) -> pd.DataFrame:
        """Each missing link: class, reason, and the row as the backup holds it, as text; NULL is NA."""
        return self._links("true", ())

    def links_of(self, table: str, key: Sequence[str], limit: int = 1000) -> pd.DataFrame:
        """The missing links of one row of a parent table, as `rows` has them.

        Args:
            table: one of its parent tables.
            key: the row's key, as text, in the order of the parent's key columns.
            limit: at most so many.

        Raises:
            UnknownTableError: it is none of them; the message names them.
        """
        spread = self._spread(table)
        columns = self._case.store.columns(self.name, "backup")
        either: list[str] = []
        values: list[str] = []
        for parent in self.parents:
            if parent.name != TableName(spread["schema"], spread["table"]):
                continue
            means = dict(zip(parent.columns, key, strict=True)) | (
                dict([parent.when]) if parent.when else {}
            )
            either.append(" AND ".join(f"m.f{columns.index(c)} = ?" for c in means))
            values += means.values()
        return self._links(" OR ".join(f"({e})" for e in either), values, f"LIMIT {int(limit)}")

    def _links(self, where: str, values: Sequence[str], limit: str = "") -> pd.DataFrame:
        import pandas as pd

        columns = self._case.store.columns(self.name, "backup")
        number = self.entry["number"]
        if not self.entry["missing"]:
            return pd.DataFrame(columns=["class", "reason", *columns])
        fields = "".join(f", m.f{i}" for i in range(len(columns)))
        with self._case.store.query() as cursor:
            found = cursor.execute(
                f"SELECT l.class, l.blocked_by, l.violates, l.place{fields} FROM loss.links_{number} l "
                f"JOIN rows.backup_{number} m ON m.pair = l.pair WHERE {where} ORDER BY l.pair {limit}",
                list(values),
            ).to_arrow_table()
        frame = pd.DataFrame(
            {
                i: found.column(i).to_pandas(types_mapper=text_type)
                for i in range(4, found.num_columns)
            }
        )
        frame.columns = pd.Index(columns)
        places = [place(m) for m in self.entry["moved_to"]]
        reasons = [
            _reason(kind, blocked, violates, where, places)
            for kind, blocked, violates, where in zip(
                *(found.column(i).to_pylist() for i in range(4)), strict=True
            )
        ]
        lead = pd.DataFrame(
            {
                "class": found.column(0).to_pandas().astype("category"),
                "reason": pd.array(reasons, dtype="string"),
            }
        )
        return pd.concat([lead, frame], axis=1)

    @property
    def moved_to(self) -> pd.DataFrame:
        """Where moved links are, how many, whether their order is kept, and which columns the new place has nothing for."""
        import pandas as pd

        rows = [
            {
                "table": str(TableName(m["schema"], m["table"])),
                "column": m["column"],
                "rows": m["rows"],
                "held": m["held"],
                "order": m["order"],
                "columns lost": ", ".join(m["columns_lost"]) or None,
            }
            for m in self.entry["moved_to"]
        ]
        return pd.DataFrame(
            rows, columns=["table", "column", "rows", "held", "order", "columns lost"]
        )

    def by_parent(self, table: str) -> pd.DataFrame:
        """One row for each row of a parent table that misses links, the worst first.

        Columns: the parent's key, label, had (links in the backup), has (rows of the junction table in live), missing
        and its classes, lost, left (what it holds now: has, and what moved), state (emptied, affected, gone, untouched).

        Args:
            table: one of its parent tables.

        Raises:
            UnknownTableError: it is none of them; the message names them.
        """
        import pandas as pd

        spread = self._spread(table)
        keys = [f"k{i}" for i in range(len(spread["key"]))]
        with self._case.store.query() as cursor:
            found = cursor.execute(
                f'SELECT *, restorable + blocked + conflicting AS lost, has + moved AS "left" FROM {spread["relation"]} '
                f"ORDER BY lost DESC, missing DESC, {', '.join(keys)}"
            ).to_arrow_table()
        frame = found.to_pandas(types_mapper=text_type)
        emptied = (
            (frame["lost"] > 0)
            & (frame["left"] == 0)
            & (frame["superseded"] == 0)
            & ~frame["elsewhere"]
        )
        state = (
            pd.Series("untouched", index=frame.index, dtype="string")
            .mask(frame["lost"] > 0, "affected")
            .mask(emptied, "emptied")
        )
        frame["state"] = state.mask(frame["gone"], "gone")
        columns = [
            *keys,
            "label",
            "state",
            "had",
            "has",
            "missing",
            "moved",
            "superseded",
            "lost",
            *LOST,
            "left",
        ]
        shown: pd.DataFrame = frame[columns].copy()
        shown.columns = pd.Index([*spread["key"], *columns[len(keys) :]])
        return shown

    def figure(self, name: str, parent: str | None = None, width: int | None = None) -> Picture:
        """One figure: "by_parent" (the parent rows that miss the most) or "distribution" (links per parent, before and now).

        Args:
            name: which.
            parent: one of its parent tables; None takes the one of whose rows one misses the most.
            width: in pixels.

        Raises:
            UsageError: there is no figure of that name, or no such parent.
        """
        from forensics.report import tables

        spread = self._spread(parent) if parent is not None else None
        return tables.junction_figure(self._case, self.entry, name, spread=spread, width=width)

    @property
    def reach(self) -> pd.DataFrame:
        """What the loss reaches outward along foreign keys: from which parent, by which path, how many rows, and the worst of them."""
        import pandas as pd

        with self._case.store.query() as cursor:
            top = cursor.execute(
                "SELECT step, coalesce(label, array_to_string(key, ', ')) FROM loss.reach WHERE number = ? ORDER BY step, rows DESC, key",
                [self.entry["number"]],
            ).fetchall()
        rows = [
            {
                "from": str(TableName(**r["from"])),
                "table": str(TableName(r["schema"], r["table"])),
                "path": " → ".join(r["path"]),
                "rows": r["rows"],
                "of": r["of"],
                "worst": ", ".join(label for step, label in top if step == n),
            }
            for n, r in enumerate(self.entry["reach"])
        ]
        frame = pd.DataFrame(rows, columns=["from", "table", "path", "rows", "of", "worst"])
        return frame.astype({"rows": "Int64", "of": "Int64"})

    def _spread(self, table: str) -> dict[str, Any]:
        spelled: dict[str, dict[str, Any]] = {}
        for s in self.entry["spread"]:
            name = TableName(s["schema"], s["table"])
            for form in (str(name), f"{name.schema}.{name.table}", name.sql, name.table):
                spelled.setdefault(form, s)
        if table in spelled:
            return spelled[table]
        parents = " and ".join(
            str(TableName(s["schema"], s["table"])) for s in self.entry["spread"]
        )
        raise UnknownTableError(
            f"{table} is no parent of {self.name}.", f"Its parents are {parents}."
        )

    def _repr_html_(self) -> str:
        e = self.entry
        counts = "".join(
            f"<tr><th style='text-align:left'>{c}</th><td style='text-align:right'>{as_text(e[c])}</td></tr>"
            for c in _SHOWN
        )
        hit = "".join(
            f"<tr><td style='text-align:left'>{escaped(t)}</td><td>{as_text(n)}</td><td>{as_text(e['emptied'][t])}</td></tr>"
            for t, n in e["affected"].items()
        )
        said = "".join(f"<li>{escaped(n)}</li>" for n in self.sentences)
        return (
            f"<h4>{escaped(str(self.name))}: links {escaped(' and '.join(dict.fromkeys(str(p.name) for p in self.parents)))}</h4>"
            f"<table><tbody>{counts}</tbody></table>"
            f"<table><thead><tr><th style='text-align:left'>parent</th><th>affected</th><th>emptied</th></tr></thead><tbody>{hit}</tbody></table>"
            f"<ul>{said}</ul>"
        )

    @property
    def sentences(self) -> list[str]:
        """What is to be said of it beyond its counts."""
        e = self.entry
        said = [
            f"{p.name} is inferred, not declared: {p.evidence}."
            for p in self.parents
            if not p.declared and p.evidence
        ]
        for m in e["moved_to"]:
            if m["rows"]:
                order = f"; the order is {m['order']}" if m["order"] else ""
                taken = (
                    f"; nothing there holds {', '.join(m['columns_lost'])}"
                    if m["columns_lost"]
                    else ""
                )
                said.append(f"{m['rows']:,} links moved to {place(m)}{order}{taken}.")
        said += [
            f"{n:,} links are blocked: their row of {t} is gone from live."
            for t, n in e["blocked_by"].items()
        ]
        said += [f"{n:,} links collide with {k}." for k, n in e["conflicts"].items()]
        said += [
            f"{n:,} rows of live name a row of {t} that is not there: no foreign key forbids it."
            for t, n in e["dangling"].items()
        ]
        notes: list[str] = e["notes"]
        return said + notes

    def __repr__(self) -> str:
        e = self.entry
        return visible(
            f"<CaseJunction {self.name}: {e['missing']:,} missing, {e['lost']:,} lost, {e['restorable']:,} restorable>"
        )


def _reason(
    kind: str, blocked: list[str], violates: str | None, where: int | None, places: list[str]
) -> str | None:
    if kind == "blocked":
        return f"gone from live: {', '.join(blocked)}"
    if kind == "conflicting":
        return f"collides with {violates}"
    if kind == "moved" and where is not None:
        return f"live holds it in {places[where]}"
    return "live holds it under another key" if kind == "superseded" else None


def find_junction(case: Case, name: str) -> CaseJunction:
    """One junction table of a case by name.

    Raises:
        UnknownTableError: there is none of that name; the message names near matches.
    """
    spelled: dict[str, dict[str, Any]] = {}
    entries = case.loss["junctions"]
    for e in entries:
        table = TableName(e["schema"], e["table"])
        for form in (str(table), f"{table.schema}.{table.table}", table.sql):
            spelled[form] = e
    for e in entries:
        if sum(o["table"] == e["table"] for o in entries) == 1:
            spelled.setdefault(e["table"], e)
    if name in spelled:
        return CaseJunction(case, spelled[name])
    every = sorted(str(TableName(e["schema"], e["table"])) for e in entries)
    raise UnknownTableError(
        f"The case has no junction table {name}.",
        near_matches(name, every, "case.junctions lists them."),
    )
