"""The way back, seen from a case: options, scripts, and the rehearsal."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.case.evidence import escaped
from forensics.recovery import Plan, Scope, Tell, Wishes, make_plan, silent
from forensics.text import visible

if TYPE_CHECKING:
    import pandas as pd

    from forensics.case import Case


class Recovery:
    """What can come back of a case, at what price.

    Calling it narrows or widens what comes back: `case.recovery(tables=["hotel_images"])`.
    """

    def __init__(self, case: Case, scope: Scope | None = None) -> None:
        self._case = case
        self._scope = scope or Scope()
        self._plan: Plan | None = None

    def __call__(self, *, tables: Sequence[str] = (), include_unexplained: bool = False, columns: bool = False) -> Recovery:
        """Return the recovery of another choice of rows.

        Args:
            tables: shell patterns; empty means all.
            include_unexplained: also rows that no statement is known to have taken.
            columns: also the values of dropped columns.
        """
        return Recovery(self._case, Scope(tuple(tables), include_unexplained, columns))

    @property
    def plan(self) -> Plan:
        """What was last worked out."""
        if self._plan is None:
            self._plan = make_plan(self._case.store, None, self._scope)
        return self._plan

    @property
    def options(self) -> pd.DataFrame:
        """One row an option: what it recovers, destroys, and cannot bring back."""
        import pandas as pd

        names = ["name", "recovers", "destroys", "blocked", "verified", "seconds"]
        return pd.DataFrame([{n: getattr(o, n) for n in names} for o in self.plan.options], columns=names).set_index("name")

    @property
    def tables(self) -> pd.DataFrame:
        """One row a table that rows return to: how many, and what of the others."""
        import pandas as pd

        rows = [{"table": str(t.name), "kind": t.kind, "missing": t.missing, **t.counts} for t in self.plan.targets]
        return pd.DataFrame(rows)

    @property
    def destroyed(self) -> pd.DataFrame:
        """One row an option and table: how many rows written since the backup it would destroy, with some keys."""
        import pandas as pd

        rows = [
            {"option": o.name, "table": str(s.name), "rows": s.rows, "for example": "; ".join(_key(e) for e in s.examples)}
            for o in self.plan.options
            for s in sorted(o.destroyed, key=lambda s: (-s.rows, s.name))
        ]
        return pd.DataFrame(rows, columns=["option", "table", "rows", "for example"])

    @property
    def reasons(self) -> pd.DataFrame:
        """One row a table and reason: how many lost rows cannot return because of it."""
        import pandas as pd

        rows = [{"table": str(t.name), "rows": n, "reason": why} for t in self.plan.targets for why, n in t.reasons]
        return pd.DataFrame(rows, columns=["table", "rows", "reason"])

    @property
    def rehearsal(self) -> pd.DataFrame:
        """What the last rehearsal found, this one's or the one that the case keeps; empty where none was held."""
        import pandas as pd

        found = self.plan.as_json()["rehearsal"] or (self._case.store.get("recovery") or {}).get("rehearsal") or {}
        rows = [(n.replace("_", " "), v) for n, v in found.items() if not isinstance(v, dict | list)]
        return pd.DataFrame(rows, columns=["fact", "value"]).set_index("fact")

    @property
    def proofs(self) -> pd.DataFrame:
        """One row an option that was rehearsed and a thing that was found; of the last rehearsal, this one's or the one that the case keeps."""
        import pandas as pd

        options = self.plan.as_json()["options"]
        if not any(o["proof"] for o in options):
            options = (self._case.store.get("recovery") or {}).get("options", ())
        rows = [
            {"option": o["name"], "verified": o["verified"], "seconds": o["seconds"], "found": said}
            for o in options
            if o.get("proof")
            for said in (*o["proof"]["checks"], *o["proof"]["problems"], *o["proof"]["notes"])
        ]
        return pd.DataFrame(rows, columns=["option", "verified", "seconds", "found"])

    @property
    def recommendation(self) -> str:
        """What the numbers speak for."""
        return self.plan.recommendation

    def write(
        self, out: str | Path, *, live: str | None = None, migrations: str | Path | None = None, backup: str | Path | None = None
    ) -> Plan:
        """Write the scripts, the plan and the runbook into a folder.

        Args:
            live: how to reach live, so that the scripts can tell whether it changed; it is only read.
            migrations: the folder of the migrations, for a safer one in place of the harmful.
            backup: where the backup lies now, if it was moved; needed for the values of dropped columns, and to rehearse.

        Raises:
            RecoveryError, LiveError, MigrationError: as `make_plan`.
        """
        wishes = Wishes(live, False, Path(migrations) if migrations else None, backup)
        self._plan = make_plan(self._case.store, Path(out), self._scope, wishes)
        return self._plan

    def rehearse(
        self,
        out: str | Path | None = None,
        *,
        live: str | None = None,
        migrations: str | Path | None = None,
        backup: str | Path | None = None,
        skip: Sequence[str] = (),
        tell: Tell = silent,
    ) -> Plan:
        """Rehearse every option on a throw-away PostgreSQL, on copies of live and of the backup; the proofs go into the case.

        Args:
            out: where the scripts go; None for a temporary folder.
            live: how to reach live; LIVE_DSN or the PG* variables where it is None.
            migrations, backup: as in `write`; the safer migration is tried on a copy of the backup.
            skip: options to leave out: "full restore" takes as long as restoring the whole backup does.
            tell: is told how far it is.

        Raises:
            RecoveryError, LiveError, ScratchError, MigrationError: as `make_plan`.
        """
        dsn = live if live is not None else os.environ.get("LIVE_DSN", "")
        wishes = Wishes(dsn, True, Path(migrations) if migrations else None, backup, skip=tuple(skip), tell=tell)
        with tempfile.TemporaryDirectory(prefix="forensics-") as folder:
            self._plan = make_plan(self._case.store, Path(folder if out is None else out), self._scope, wishes)
        with self._case.writing() as store:
            store.put("recovery", self._plan.as_json())
        return self._plan

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escaped(o.name)}</th><td>{o.recovers:,}</td><td>{o.destroys:,}</td>"
            f"<td>{o.blocked:,}</td><td>{'yes' if o.verified else 'no'}</td></tr>"
            for o in self.plan.options
        )
        head = "<tr><th>option</th><th>recovers</th><th>destroys</th><th>blocked</th><th>verified</th></tr>"
        return f"<p><b>{escaped(self.plan.recommendation)}</b></p><table>{head}{rows}</table>"

    def __repr__(self) -> str:
        return visible(f"<Recovery: {self.plan.recommendation}>")


def _key(example: Mapping[str, str | None]) -> str:
    return ", ".join(f"{column} {value}" for column, value in example.items())
