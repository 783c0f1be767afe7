"""The cause of a case, as notebooks show it: migrations, statements, what is left unexplained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.case.evidence import escaped, inert
from forensics.cause.attribution import Ask, Listener, attribute
from forensics.errors import CaseError
from forensics.evidence.migrations import read_folder
from forensics.store import write_private
from forensics.text import counted, document, visible

if TYPE_CHECKING:
    import pandas as pd

    from forensics.case.facade import Case

_MIGRATIONS = [
    "name",
    "applied_at",
    "state",
    "in_backup",
    "in_live",
    "file",
    "rolled_back",
    "attempts",
    "tool",
]
_STATEMENTS = [
    "migration",
    "line",
    "hazard",
    "schema",
    "table",
    "column",
    "rows",
    "moved",
    "changed",
    "blanked",
    "counted",
    "sql",
]


class Cause:
    """Which migration statement did it.

    Attributes:
        found: everything, as `cause.json` has it.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    @property
    def migrations(self) -> pd.DataFrame:
        """One row a migration, in order: when it was applied, on which sides, and how its file stands."""
        import pandas as pd

        frame = pd.DataFrame(self.found["migrations"], columns=_MIGRATIONS)
        return frame.assign(
            applied_at=pd.to_datetime(frame["applied_at"], utc=True, format="ISO8601")
        )

    @property
    def statements(self) -> pd.DataFrame:
        """One row a statement and table (or column): the missing rows (or values) that it accounts for."""
        import pandas as pd

        return pd.DataFrame(self.found["statements"], columns=_STATEMENTS)

    @property
    def unexplained(self) -> pd.DataFrame:
        """One row a table: missing rows that no statement accounts for."""
        import pandas as pd

        return pd.DataFrame(self.found["unexplained"], columns=["schema", "table", "rows"])

    @property
    def hazards(self) -> pd.DataFrame:
        """One row a danger of the migrations between backup and live, whether it struck or not."""
        import pandas as pd

        return pd.DataFrame(
            self.found["hazards"],
            columns=[
                "migration",
                "line",
                "hazard",
                "schema",
                "table",
                "column",
                "says",
                "within",
                "sql",
            ],
        )

    @property
    def timeline(self) -> pd.DataFrame:
        """Events in order: `time`, `label`, and `kind` (backup, migration before, migration, evidence, incident, now)."""
        import pandas as pd

        frame = pd.DataFrame(self.found["timeline"], columns=["time", "label", "kind"])
        return frame.assign(time=pd.to_datetime(frame["time"], utc=True, format="ISO8601"))

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say besides: what does not fit together, what could not be replayed."""
        return tuple(self.found["notes"])

    @property
    def verdict(self) -> str:
        """The answer in a few sentences."""
        return verdict(self.found)

    def _repr_html_(self) -> str:
        struck = self.statements
        struck = struck[(struck["rows"] > 0) | (struck["changed"] > 0) | (struck["blanked"] > 0)]
        shown = (
            inert(struck.drop(columns=["sql", "counted"])).to_html(
                index=False, na_rep="", escape=True
            )
            if len(struck)
            else ""
        )
        said = "".join(f"<li>{escaped(n)}</li>" for n in self.notes)
        return f"<p><b>{escaped(self.verdict)}</b></p>{shown}<ul>{said}</ul>"

    def __repr__(self) -> str:
        return visible(f"<Cause: {self.verdict}>")


def verdict(found: Mapping[str, Any]) -> str:
    """Say in a few sentences what a `cause.json` holds."""
    rows = sum(s["rows"] for s in found["statements"] if s["column"] is None)
    moved = sum(s["moved"] for s in found["statements"] if s["column"] is None)
    values = sum(s["rows"] for s in found["statements"] if s["column"] is not None)
    blanked = sum(s["blanked"] for s in found["statements"])
    rest = sum(u["rows"] for u in found["unexplained"])
    struck = [s for s in found["statements"] if s["rows"]]
    said = []
    if struck:
        places = {(s["migration"], s["line"]) for s in struck}
        names = sorted({s["migration"] for s in struck})
        what = [counted(rows, "missing row")] * bool(rows) + [
            f"{counted(values, 'value')} of dropped columns"
        ] * bool(values)
        said.append(
            f"{len(places)} {'statement' if len(places) == 1 else 'statements'} of {' and '.join(names[:3])}"
            f"{' and others' * (len(names) > 3)} {'accounts' if len(places) == 1 else 'account'} for {' and '.join(what)}."
        )
    if moved:
        said.append(f"{moved:,} of these rows were moved, not lost.")
    if blanked:
        said.append(f"{blanked:,} values stand where there was NULL.")
    if rest:
        said.append(
            f"{counted(rest, 'missing row')} {'is' if rest == 1 else 'are'} unexplained: no statement took {'it' if rest == 1 else 'them'}."
        )
    if not said:
        said.append("No missing row is laid at a migration.")
    return " ".join(said)


def find_cause(
    case: Case,
    folder: str | Path | None,
    *,
    ran: tuple[str, ...] | None = None,
    listener: Listener | None = None,
) -> Cause:
    """Attribute, and write what is found into the case and to `cause.json`; without a folder, return what was found before.

    Args:
        ran: shell patterns of migrations that ran since the backup, where no history says so; None for those of the last time.

    Raises:
        CaseError: nothing was found before, or another process holds the case.
        MigrationError, UsageError: the folder, or a migration in it, is at fault.
    """
    if folder is None:
        stored = case.store.get("cause")
        if stored is None:
            raise CaseError(
                f"The cause of case {case.folder} was not looked for yet.",
                'Give the folder of the migrations: case.cause("migrations/").',
            )
        return Cause(stored)
    if ran is None:
        ran = tuple(case.store.get("ran") or ())
    attribution = attribute(case.store, Ask(read_folder(Path(folder)), ran), listener)
    found = attribution.found
    with case.writing() as store:
        attribution.write(store)
        store.put("ran", list(ran))  # for whoever reads the same folder later on
    write_private(case.folder / "cause.json", document(found))
    return Cause(found)
