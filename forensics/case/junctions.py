"""Each junction table of a case, with its links and parents, as DataFrames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forensics.case.frames import CLASSES, place
from forensics.case.held import Held
from forensics.case.names import by_name, spellings
from forensics.case.showing import cell, escaped, heading, points, shown
from forensics.case.tables import column_frame, text_type
from forensics.errors import CaseError, UnknownTableError
from forensics.loss.fates import LOST
from forensics.loss.junctions import parent_of
from forensics.loss.published import is_known
from forensics.model import Parent, TableName
from forensics.text import counted, visible

if TYPE_CHECKING:
    import pandas as pd

    from forensics.figures import Picture

_LINKS = ("class", "blocked_by", "violates", "place")
_COUNTED = ["had", "has", "missing", "moved", "superseded", "lost", *LOST, "left", "overwritten"]


def find_junction(case: Held, name: str) -> CaseJunction:
    """One junction table of a case by name.

    Raises:
        UnknownTableError: there is none of that name; the message names near matches.
    """
    known = [(TableName(e["schema"], e["table"]), e) for e in case.loss["junctions"]]
    entry = by_name(name, known, "junction table", "case.junctions lists them.")
    if not is_known(entry):
        raise CaseError(
            f"The loss of {TableName(entry['schema'], entry['table'])} was not classified, "
            f"because: {entry['reason']}",
            "Compare again, or go on with --resume, once that is mended.",
        )
    return CaseJunction(case, entry)


class CaseJunction:
    """One junction table of a case: what became of its missing links, and of its parents.

    Attributes:
        name: the table.
        entry: what `loss --json` says of it.
    """

    def __init__(self, case: Held, entry: dict[str, Any]) -> None:
        self._case = case
        self.entry = entry
        self.name = TableName(entry["schema"], entry["table"])

    @property
    def parents(self) -> tuple[Parent, ...]:
        """The tables that its rows link, and the columns that do."""
        return tuple(parent_of(parent) for parent in self.entry["parents"])

    # --- links ------------------------------------------------------------------------------------

    @property
    def rows(self) -> pd.DataFrame:
        """Each missing link: class, reason, and the backup's row as text; NULL is NA."""
        import pandas as pd

        columns = self._case.store.columns(self.name, "backup")
        if not self.entry["missing"]:
            return pd.DataFrame(columns=["class", "reason", *columns])
        found = self._asked(len(columns))
        frame = column_frame(found.select(range(len(_LINKS), found.num_columns)), columns)
        lead = pd.DataFrame(
            {
                "class": found.column("class").to_pandas().astype("category"),
                "reason": pd.array(self._reasons(found), dtype="string"),
            }
        )
        return pd.concat([lead, frame], axis=1)

    def _asked(self, width: int) -> Any:
        number = self.entry["number"]
        links = [f"l.{name}" for name in _LINKS]
        fields = [f"m.f{place}" for place in range(width)]
        with self._case.store.query() as cursor:
            return cursor.sql(
                f"SELECT {', '.join(links + fields)} FROM loss.links_{number} l "
                f"JOIN rows.backup_{number} m ON m.pair = l.pair ORDER BY l.pair"
            ).to_arrow_table()

    def _reasons(self, found: Any) -> list[str | None]:
        """Why each link is of its class, in the order in which they were found."""
        places = [place(moved) for moved in self.entry["moved_to"]]
        facts = [found.column(name).to_pylist() for name in _LINKS]
        reasons = []
        for kind, blocked, violates, where in zip(*facts, strict=True):
            reasons.append(reason(kind, blocked, violates, where, places))
        return reasons

    @property
    def moved_to(self) -> pd.DataFrame:
        """Where moved links are, how many, whether in order, and what has no column there."""
        import pandas as pd

        rows = []
        for moved in self.entry["moved_to"]:
            row = {name: moved[name] for name in ("column", "rows", "held", "order")}
            row["table"] = str(TableName(moved["schema"], moved["table"]))
            row["columns lost"] = ", ".join(moved["columns_lost"]) or None
            rows.append(row)
        columns = ["table", "column", "rows", "held", "order", "columns lost"]
        return pd.DataFrame(rows, columns=columns)

    # --- parents ----------------------------------------------------------------------------------

    def by_parent(self, table: str) -> pd.DataFrame:
        """One row for each row of a parent table that misses links, the worst first.

        Columns: the parent's key, label, state (emptied, affected, gone, untouched), had (links in
        the backup), has (rows of the junction table in live), missing and its classes, lost, left
        (what it holds now: has, and what moved), overwritten.

        Args:
            table: one of its parent tables.

        Raises:
            UnknownTableError: it is none of them; the message names them.
        """
        import pandas as pd

        spread = self._spread(table)
        keys = [f"k{place}" for place in range(len(spread["key"]))]
        with self._case.store.query() as cursor:
            found = cursor.sql(
                'SELECT *, restorable + blocked + conflicting AS lost, has + moved AS "left" '
                f"FROM {spread['relation']} "
                f"ORDER BY lost DESC, missing DESC, {', '.join(keys)}"
            ).to_arrow_table()
        frame = found.to_pandas(types_mapper=text_type)
        frame["state"] = _states(frame)
        columns = ["label", "state", *_COUNTED]
        chosen: pd.DataFrame = frame[[*keys, *columns]].copy()
        chosen.columns = pd.Index([*spread["key"], *columns])
        return chosen

    def figure(self, name: str, parent: str | None = None, width: int | None = None) -> Picture:
        """One figure: "by_parent" (the parent rows that miss the most) or "distribution".

        The latter shows links per parent, before and now.

        Args:
            name: which.
            parent: one of its parent tables; None takes the one of whose rows one misses the most.
            width: in pixels.

        Raises:
            UsageError: there is no figure of that name, or no such parent.
        """
        from forensics.report import drawn

        spread = None
        if parent is not None:
            spread = self._spread(parent)
        return drawn.junction_figure(self._case, self.entry, name, spread=spread, width=width)

    @property
    def reach(self) -> pd.DataFrame:
        """What the loss reaches outward along foreign keys: paths, rows, and the worst of them."""
        import pandas as pd

        worst = self._worst_reached()
        rows = []
        for step, reached in enumerate(self.entry["reach"]):
            row = {
                "from": str(TableName(**reached["from"])),
                "table": str(TableName(reached["schema"], reached["table"])),
                "path": " → ".join(reached["path"]),
                "rows": reached["rows"],
                "of": reached["of"],
                "worst": ", ".join(worst.get(step, [])),
            }
            rows.append(row)
        frame = pd.DataFrame(rows, columns=["from", "table", "path", "rows", "of", "worst"])
        return frame.astype({"rows": "Int64", "of": "Int64"})

    def _worst_reached(self) -> dict[int, list[str]]:
        """By step of the reach, the labels of the rows that are hit the most."""
        with self._case.store.query() as cursor:
            found = cursor.execute(
                "SELECT step, coalesce(label, array_to_string(key, ', ')) FROM loss.reach "
                "WHERE number = ? ORDER BY step, rows DESC, key",
                [self.entry["number"]],
            ).fetchall()
        worst: dict[int, list[str]] = {}
        for step, label in found:
            worst.setdefault(step, []).append(label)
        return worst

    def _spread(self, table: str) -> dict[str, Any]:
        spelled: dict[str, dict[str, Any]] = {}
        names = []
        for spread in self.entry["spread"]:
            name = TableName(spread["schema"], spread["table"])
            names.append(str(name))
            for form in (*spellings(name), name.table):
                spelled.setdefault(form, spread)
        if table in spelled:
            return spelled[table]
        raise UnknownTableError(
            f"{table} is no parent of {self.name}.", f"Its parents are {' and '.join(names)}."
        )

    # --- what is said -----------------------------------------------------------------------------

    @property
    def sentences(self) -> list[str]:
        """What is to be said of it beyond its counts."""
        return sentences(self.entry)

    def _repr_html_(self) -> str:
        entry = self.entry
        counts = []
        for kind in CLASSES:
            number = f"<td style='text-align:right'>{shown(entry[kind])}</td>"
            counts.append(f"<tr>{heading(kind)}{number}</tr>")
        hit = []
        for name, affected in entry["affected"].items():
            numbers = f"<td>{shown(affected)}</td><td>{shown(entry['emptied'][name])}</td>"
            hit.append(f"<tr>{cell(escaped(name))}{numbers}</tr>")
        parents = dict.fromkeys(str(parent.name) for parent in self.parents)
        head = "<thead><tr><th>parent</th><th>affected</th><th>emptied</th></tr></thead>"
        return (
            f"<h3>{escaped(str(self.name))}: links {escaped(' and '.join(parents))}</h3>"
            f"<table><tbody>{''.join(counts)}</tbody></table>"
            f"<table>{head}<tbody>{''.join(hit)}</tbody></table>"
            f"{points(self.sentences)}"
        )

    def __repr__(self) -> str:
        entry = self.entry
        return visible(
            f"<CaseJunction {self.name}: {entry['missing']:,} missing, {entry['lost']:,} lost, "
            f"{entry['restorable']:,} restorable>"
        )


def sentences(entry: Mapping[str, Any]) -> list[str]:
    """What is to be said of a junction table beyond its counts."""
    said = []
    for parent in map(parent_of, entry["parents"]):
        if parent.evidence and not parent.declared:
            said.append(f"{parent.name} is inferred, not declared: {parent.evidence}.")
    for moved in entry["moved_to"]:
        if moved["rows"]:
            said.append(_moved(moved))
    for name, rows in entry["blocked_by"].items():
        said.append(f"{_links(rows)} blocked: a row of {name} is gone from live.")
    if entry.get("overwritten"):
        said.append(
            f"{_links(entry['overwritten'])} overwritten: no row is missing for that, "
            "and live holds what it said nowhere."
        )
    for key, rows in entry["conflicts"].items():
        said.append(f"{counted(rows, 'link')} cannot go back beside {key}.")
    for name, rows in entry["dangling"].items():
        said.append(
            f"{counted(rows, 'row')} of live without the row of {name} that is named: "
            "no foreign key forbids it."
        )
    return said + list(entry["notes"])


def _links(number: int) -> str:
    return f"{counted(number, 'link')} {'is' if number == 1 else 'are'}"


def _moved(moved: Mapping[str, Any]) -> str:
    said = f"{counted(moved['rows'], 'link')} moved to {place(moved)}"
    if moved["order"]:
        said += f"; the order is {moved['order']}"
    if moved["columns_lost"]:
        said += f"; nothing there holds {', '.join(moved['columns_lost'])}"
    return f"{said}."


def reason(
    kind: str, blocked: list[str], violates: str | None, where: int | None, places: list[str]
) -> str | None:
    """Why a missing link is of its class, in words, or None where nothing is to be said.

    Args:
        kind: the class.
        blocked, violates, where: as the case has them (`forensics.loss`).
        places: where links of its table moved.
    """
    if kind == "blocked":
        return f"gone from live: {', '.join(blocked)}"
    if kind == "conflicting":
        return f"collides with {violates}"
    if kind == "moved" and where is not None:
        return f"live holds it in {places[where]}"
    if kind == "superseded":
        return "live holds it under another key"
    return None


def _states(frame: pd.DataFrame) -> pd.Series:
    """What became of each parent row: emptied, affected, gone or untouched."""
    import pandas as pd

    hit = frame["lost"] + frame["overwritten"] > 0
    holds_none = (frame["left"] == 0) & (frame["superseded"] == 0) & ~frame["elsewhere"]
    state = pd.Series("untouched", index=frame.index, dtype="string")
    state = state.mask(hit, "affected")
    state = state.mask(hit & holds_none, "emptied")
    return state.mask(frame["gone"], "gone")
