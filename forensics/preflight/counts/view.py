"""What a check of a hazard may ask, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from psycopg import sql

from forensics.errors import LiveError
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.preflight.forecast import Forecast, Standing, Virtual
from forensics.preflight.forecast.expressions import Expressions
from forensics.preflight.surroundings import Surroundings
from forensics.statements.hazards import Hazard


@dataclass(frozen=True)
class Finding:
    """What a check found of a hazard.

    Attributes:
        hazard: the one that was checked, or one that follows from it.
        rows: what it would destroy, or what stands in its way; None where that was not counted.
        says: what it would do, in a sentence; "" for the words of its kind.
        fails: whether the statement would fail on the data as it is.
        destroys: whether `rows` would be destroyed; None where that follows from the kind.
    """

    hazard: Hazard
    rows: int | None
    says: str = ""
    fails: bool = False
    destroys: bool | None = None


@dataclass(frozen=True)
class Subject:
    """A hazard to a table that is there, and to a column of it where it is one to a column."""

    hazard: Hazard
    table: TableName
    virtual: Virtual
    column: str

    @property
    def relation(self) -> str:
        """What to select the table from."""
        return self.virtual.relation

    def would(self, does: str, rows: int | None) -> Finding:
        """It would do something to so many rows."""
        return Finding(self.hazard, rows, does)

    def fails(self, why: str, rows: int | None) -> Finding:
        """The statement would fail."""
        return Finding(self.hazard, rows, why, fails=True)

    def obstacle(self, rows: int, says: str, otherwise: str) -> Finding:
        """So many rows stand in its way; of none, `otherwise` is said."""
        if rows:
            return Finding(self.hazard, rows, says, fails=True)
        return Finding(self.hazard, rows, otherwise)


class Asking:
    """Asks live about the tables as they would stand.

    Args:
        live: the database, under its snapshot.
        forecast: the tables.
    """

    def __init__(self, live: LiveSource, forecast: Forecast) -> None:
        self._live = live
        self._forecast = forecast

    def ask(self, text: str) -> list[dict[str, Any]]:
        """The rows that a SELECT gives."""
        schema = self._forecast.standing.schema
        return self._live.ask(self._forecast.select(text), schema)

    def count(self, text: str) -> int:
        """The one number that a SELECT gives."""
        (row,) = self.ask(text)
        (number,) = row.values()
        return int(number or 0)

    @cached_property
    def version(self) -> int:
        """The server's version, as in 160004."""
        question = "SELECT current_setting('server_version_num')::int AS version"
        return int(self._live.ask(sql.SQL(question))[0]["version"])


@dataclass(frozen=True)
class View:
    """What a check sees: the tables as they would stand before the statement at hand.

    Attributes:
        asking: what counts on live.
        forecast: the tables.
        around: what stands around them.
        statement: the one at hand.
    """

    asking: Asking
    forecast: Forecast
    around: Surroundings
    statement: Statement

    @property
    def standing(self) -> Standing:
        """The tables, and where names lead."""
        return self.forecast.standing

    @property
    def expressions(self) -> Expressions:
        """What makes text of parts of the statement."""
        return self.forecast.expressions

    @property
    def tables(self) -> Mapping[TableName, Virtual]:
        """The tables by name."""
        return self.forecast.standing.tables

    def table(self, hazard: Hazard) -> Virtual | None:
        """The table of a hazard, or None."""
        return self.tables.get(hazard.table) if hazard.table else None

    def count(self, text: str) -> int:
        """The one number that a SELECT gives."""
        return self.asking.count(text)

    def rows(self, virtual: Virtual) -> int:
        """How many rows a table has."""
        return self.count(f"SELECT count(*) FROM {virtual.relation} AS t")

    def referring(self, parent: TableName) -> list[TableName]:
        """The other tables that refer to one."""
        found = {child for child, _ in self.standing.referring(parent)}
        return sorted(found - {parent})

    def named(self, hazard: Hazard, code: str = "") -> set[TableName | None]:
        """The tables that the statement at hand takes by one kind of hazard, that of `hazard`.

        They are no obstacle to one another.
        """
        wanted = code or hazard.code
        hazards = self.forecast.reader().read(self.statement)
        return {h.table for h in hazards if h.code == wanted}


def class_of(error: LiveError) -> str:
    """The class of an error's SQLSTATE, its first two characters; "" where it has none."""
    return (error.sqlstate or "")[:2]


def words_of(error: LiveError) -> str:
    """What the server says, without our own words before."""
    return error.message.split(" refuses a question: ", 1)[-1]
