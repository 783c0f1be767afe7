"""A backup that is open for questions, as Python has it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast, overload

from forensics.case.held import Held
from forensics.case.showing import escaped
from forensics.compare.options import Options
from forensics.evidence import open_source
from forensics.export.exporting import Exported, export
from forensics.model import MAX_ROW
from forensics.query.session import session
from forensics.query.side import Side
from forensics.text import visible

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from sqlalchemy import URL, Engine


class IncompleteWarning(UserWarning):
    """Rows that an answer should have been made of are not in the backup any more."""


class Backup:
    """A backup that answers questions in SQL. Use it as a context manager, or call `close()`.

    Args:
        path: a dump of any form, or a connection string, or an engine or URL of SQLAlchemy's.
        live: a database, or another dump, whose tables are `live.NAME` beside it.
        database: which database of a `pg_dumpall` file.
        memory: what DuckDB may hold before it spills, as it writes it.
        max_row: how long a row of a dump may be.

    Raises:
        BackupError: the path is not there, or no dump.
        LiveError: the database cannot be reached or read.
    """

    def __init__(
        self,
        path: str | Path | Engine | URL,
        live: str | Path | Engine | URL | None = None,
        *,
        database: str | None = None,
        memory: str = Options.memory,
        max_row: str = MAX_ROW,
    ) -> None:
        self._memory = memory
        backup = open_source(path, role="backup", database=database, max_row=max_row)
        try:
            self._sides = {}
            if live is not None:
                other = open_source(live, role="live", max_row=max_row)
                self._sides["live"] = Side("live", other)
                if backup.is_partial:
                    backup.adopt(other.catalog)
            self._sides["backup"] = Side("backup", backup)
        except BaseException:
            backup.close()
            raise

    @property
    def tables(self) -> list[str]:
        """The tables that it can be asked for, as SQL writes their names."""
        return [str(name) for name in self._sides["backup"].tables]

    def arrow(self, sql: str) -> pa.Table:
        """Answer a question with an Arrow table.

        Args:
            sql: one SELECT, as DuckDB understands it.

        Raises:
            QueryError: DuckDB refuses it, in its words.
            UnknownTableError: it names a table that there is not; the hint names near ones.
        """
        with session(self._sides, memory=self._memory) as asking:
            table, told = asking.ask(sql, "arrow", _whole)
        for sentence in told.damage:
            warnings.warn(sentence, IncompleteWarning, stacklevel=2)
        for sentence in told.notes:
            warnings.warn(sentence, UserWarning, stacklevel=2)
        return table

    def query(self, sql: str) -> pd.DataFrame:
        """Answer a question with a DataFrame, whose columns keep Arrow's types.

        Args:
            sql: one SELECT, as DuckDB understands it.

        Raises:
            QueryError: DuckDB refuses it, in its words.
            UnknownTableError: it names a table that there is not; the hint names near ones.
        """
        import pandas as pd

        frame: pd.DataFrame = self.arrow(sql).to_pandas(types_mapper=pd.ArrowDtype)
        return frame

    def export(
        self,
        tables: str | Sequence[str],
        to: str | Path,
        *,
        where: str | None = None,
        force: bool = False,
    ) -> Exported:
        """Write tables to a file.

        Args:
            tables: a name, with a schema or without, a shell pattern, or several.
            to: the file: .parquet, .csv, .sql or .dump.
            where: DuckDB's SQL over the columns, which a row has to fulfil.
            force: take the place of a file that is there.

        Raises:
            UnknownTableError: there is no such table; the hint names near ones.
            UsageError: the file is there, or its suffix says nothing.
            QueryError: DuckDB refuses the condition.
        """
        if isinstance(tables, str):
            tables = [tables]
        side = self._sides["backup"]
        done = export(side, tables, Path(to), where=where, force=force, memory=self._memory)
        for sentence in done.damage:
            warnings.warn(sentence, IncompleteWarning, stacklevel=2)
        return done

    def close(self) -> None:
        """Let go of the backup, and of live."""
        for side in self._sides.values():
            side.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        source = self._sides["backup"].source
        shown = source.identify().dsn or source.identify().path
        return f"<Backup {shown}, {len(self.tables)} tables>"


class NotAtHand:
    """In place of a case's backup that is not where it was read: every answer says so."""

    tables: tuple[str, ...] = ()

    def __init__(self, said: str) -> None:
        self.said = said

    def query(self, sql: str) -> Self:
        """Answer a question by saying that the backup is not at hand."""
        return self

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repr_html_(self) -> str:
        return f"<p>{escaped(self.said)}</p>"

    def __repr__(self) -> str:
        return visible(self.said)


@overload
def open_backup(
    path: str | Path | Engine | URL, live: str | Path | Engine | URL | None = None, **how: Any
) -> Backup: ...


@overload
def open_backup(
    path: Held, live: str | Path | Engine | URL | None = None, **how: Any
) -> Backup | NotAtHand: ...


def open_backup(
    path: str | Path | Engine | URL | Held,
    live: str | Path | Engine | URL | None = None,
    **how: Any,
) -> Backup | NotAtHand:
    """Open a backup for questions.

    Args:
        path: a dump of any form, or a connection string, or an engine or URL of SQLAlchemy's; or a
            case: then it is the file that the
            case was made of, where that still lies where it was read. Else every answer says so.
        live: a database, or another dump, whose tables are `live.NAME` beside it.
        how: what else `Backup` takes.

    Raises:
        BackupError: the path is not there, or no dump.
        LiveError: the database cannot be reached or read.
    """
    if not hasattr(path, "evidence"):
        return Backup(path, live, **how)
    before = cast(Held, path).evidence.backup
    if before.kind == "database" or not before.path:
        return NotAtHand(
            "The backup of this case was not a file that could be opened again: "
            "ask it with fx.open_backup(CONNECTION)."
        )
    file = Path(before.path)
    if not file.exists():
        return NotAtHand(
            f"The backup, {file.name}, is not where it was read, and the case stands without it: "
            "ask another copy with fx.open_backup(PATH)."
        )
    return Backup(file, live, **{"database": before.database, **how})


def _whole(reader: Any) -> pa.Table:
    return reader.read_all()
