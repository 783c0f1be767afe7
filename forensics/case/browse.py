"""Look around in the loss: choose a junction table and a row of one of its parents, and see what is missing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.case.evidence import escaped, inert
from forensics.case.junctions import CaseJunction, find_junction
from forensics.model import TableName
from forensics.text import plural, visible

if TYPE_CHECKING:
    import pandas as pd

    from forensics.case.facade import Case

_CHOICES = 200
_SHOWN = 10


class Browser:
    """A view on one row at a time of those that miss links. Shows itself as widgets, and as a table where there are none.

    Attributes:
        junction: the junction table that is looked at, None where no link is missing.
        parent: the name of the parent table that is looked at.
        key: the key of the row that is looked at.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        entries = sorted(
            (e for e in case.loss["junctions"] if e["missing"]),
            key=lambda e: (-e["missing"], e["schema"], e["table"]),
        )
        self._names = [str(TableName(e["schema"], e["table"])) for e in entries]
        self.junction: CaseJunction | None = None
        self.parent = ""
        self.key: tuple[str, ...] = ()
        if self._names:
            self.choose(self._names[0])

    def choose(
        self, junction: str, parent: str | None = None, key: tuple[str, ...] | None = None
    ) -> Browser:
        """Look at a row; what is not given is the worst hit. Return the browser itself.

        Raises:
            UnknownTableError: there is no such junction table, or it has no such parent.
        """
        self.junction = find_junction(self._case, junction)
        self.parent = parent or self._parents()[0]
        rows = self.rows
        width = self._key_width()
        self.key = key or (tuple(rows.iloc[0, :width]) if len(rows) else ())
        return self

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of the parent table that miss links, the worst first."""
        return self._chosen().by_parent(self.parent)

    @property
    def links(self) -> pd.DataFrame:
        """The missing links of the row that is looked at, each with its class and the reason."""
        import pandas as pd

        if self.junction is None or not self.key:
            return pd.DataFrame()
        return self.junction.links_of(self.parent, self.key)

    def _chosen(self) -> CaseJunction:
        assert self.junction is not None
        return self.junction

    def _parents(self) -> list[str]:
        """The parents by name, the one with the fewest rows hit first: it is the one that holds many links a row."""
        spreads = sorted(
            self._chosen().entry["spread"],
            key=lambda s: (s["affected"] + s["gone"] == 0, s["affected"] + s["gone"]),
        )
        return [str(TableName(s["schema"], s["table"])) for s in spreads]

    def _key_width(self) -> int:
        spread = next(
            s
            for s in self._chosen().entry["spread"]
            if str(TableName(s["schema"], s["table"])) == self.parent
        )
        return len(spread["key"])

    # --- showing -------------------------------------------------------------------------------------

    def _repr_html_(self) -> str:
        if self.junction is None:
            return "<p>No link of a junction table is missing.</p>"
        rows = self.rows
        said = f"<code>{escaped(str(self.junction.name))}</code>: {len(rows):,} {plural(len(rows), 'row')} of <code>{escaped(self.parent)}</code> miss links"
        table = rows.head(_SHOWN)[
            [*rows.columns[: self._key_width()], "label", "state", "had", "missing", "lost", "left"]
        ]
        return f"<p>{said}; the worst hit:</p>{inert(table).to_html(index=False, na_rep='–', border=0)}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        found = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        if self.junction is not None:
            found |= self._widget()._repr_mimebundle_(include=include, exclude=exclude)
        return {**found, "text/html": self._repr_html_()}

    def __repr__(self) -> str:
        return visible(
            f"<Browser {self.junction.name if self.junction else 'without missing links'}>"
        )

    def _widget(self) -> Any:
        import ipywidgets as widgets

        wide = {"layout": widgets.Layout(width="34rem"), "style": {"description_width": "7rem"}}
        junction = widgets.Dropdown(
            options=self._names,
            value=str(self._chosen().name),
            description="junction table",
            **wide,
        )
        parent = widgets.Dropdown(
            options=self._parents(), value=self.parent, description="parent", **wide
        )
        row = widgets.Dropdown(options=self._choices(), description="row", **wide)
        shown = widgets.HTML()

        def to_junction(change: dict[str, Any]) -> None:
            self.choose(change["new"])
            parent.options = self._parents()
            to_parent({"new": self.parent})

        def to_parent(change: dict[str, Any]) -> None:
            if change["new"] is not None:
                self.choose(str(self._chosen().name), change["new"])
                row.options = self._choices()
                show()

        def to_row(change: dict[str, Any]) -> None:
            if change["new"] is not None:
                self.key = change["new"]
                show()

        def show() -> None:
            links = self.links
            shown.value = f"<p>{len(links):,} missing {plural(len(links), 'link')}</p>" + inert(
                links.head(50)
            ).to_html(index=False, na_rep="–", border=0)

        junction.observe(to_junction, "value")
        parent.observe(to_parent, "value")
        row.observe(to_row, "value")
        show()
        return widgets.VBox([junction, parent, row, shown])

    def _choices(self) -> list[tuple[str, tuple[str, ...]]]:
        rows, width = self.rows.head(_CHOICES), self._key_width()
        return [
            (
                f"{r['label'] if isinstance(r['label'], str) else ', '.join(map(str, r.iloc[:width]))} – {r['missing']:,} of {r['had']:,} missing",
                tuple(r.iloc[:width]),
            )
            for _, r in rows.iterrows()
        ]
