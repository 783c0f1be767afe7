"""What a notebook's cell shows while it works: what it is at, since when, and for how long yet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any

from forensics.case.showing import escaped
from forensics.compare.options import Listener
from forensics.model import TableName, TableResult
from forensics.text import duration

_PATIENCE = 2.0  # seconds that people wait without a word
_BETWEEN = 0.25  # seconds from one word to the next
_RESULTS = 5  # the latest, that stay to be seen
_TELLING = 0.05  # the share of the work from which the rest can be told


class Waiting(Listener):
    """Says below a cell how far it is; whatever takes less than two seconds says nothing.

    Args:
        place: shows HTML in one place, the newest in place of what stood there.
    """

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._turn = Lock()
        self._began = self._rows_began = time.monotonic()
        self._next = self._began + _PATIENCE
        self._step = ""
        self._tables = self._tables_done = 0
        self._rows = self._rows_done = 0
        self._known: list[str] = []
        self._found: list[str] = []

    # --- as a comparison tells it -----------------------------------------------------------

    def knows(self, sentences: Sequence[str]) -> None:
        self._known = list(sentences)
        self._show("comparing")

    def begins(self, tables: int, rows: int) -> None:
        self._tables, self._rows = tables, rows
        self._rows_began = time.monotonic()

    def rows(self, table: TableName, rows: int) -> None:
        self._rows_done += rows
        self._say(f"comparing {table}", self._counted())

    def ends(self, result: TableResult) -> None:
        self._tables_done += 1
        if result.missing or result.changed:
            lost, changed = result.missing or 0, result.changed or 0
            self._found.append(f"{result.name}: {lost:,} missing, {changed:,} changed")
            self._found = self._found[-_RESULTS:]

    def stage(self, text: str) -> None:
        self._tables = self._rows = self._rows_done = 0
        self._say(text)

    def minds(self, text: str) -> None:
        self._place.add(f"<p>{escaped(text)}</p>")

    # --- as the other stages do -------------------------------------------------------------

    def __call__(self, step: str, place: str = "") -> None:
        """Say which step it is at, and where in it; several threads may."""
        with self._turn:
            self._say(step, place)

    def _say(self, step: str, place: str = "") -> None:
        now = time.monotonic()
        news = step != self._step and now >= self._began + _PATIENCE
        if now < self._next and not news:
            return
        self._next, self._step = now + _BETWEEN, step
        self._show(step, place, self._times(now))

    def _show(self, *words: str) -> None:
        lines = [*self._known, *self._found, " · ".join(filter(None, words))]
        text = "<br>".join(map(escaped, lines))
        self._place.show(f"<p style='opacity:.8'>{text}</p>")

    def _counted(self) -> str:
        said = f"{self._tables_done:,} of {self._tables:,} tables"
        if self._rows:
            # Live's statistics say about how many rows there are; a case may well hold more.
            of = max(self._rows, self._rows_done)
            said += f", {self._rows_done:,} of about {of:,} rows"
        return said

    def _times(self, now: float) -> str:
        said = f"{_length(now - self._began)} so far"
        if self._rows and _TELLING * self._rows <= self._rows_done < self._rows:
            pace = (now - self._rows_began) / self._rows_done
            said += f", about {_length(pace * (self._rows - self._rows_done))} to go"
        return said


def _length(seconds: float) -> str:
    return duration(timedelta(seconds=seconds))


class _Place:
    """One place below a cell."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Show HTML there."""
        if self._handle is None:
            self._handle = display(text, display_id=True)
        else:
            self._handle.update({"text/html": text}, raw=True)

    def add(self, text: str) -> None:
        """Show HTML that stays, beside it."""
        display(text)

    def clear(self) -> None:
        """Leave nothing to be seen."""
        if self._handle is not None:
            self.show("")


def display(text: str, **options: Any) -> Any:
    """Show HTML below a notebook's cell."""
    from IPython.display import display as shown

    return shown({"text/html": text}, raw=True, **options)  # type: ignore[no-untyped-call]


@contextmanager
def waiting() -> Iterator[Waiting | None]:
    """Lend what says below a notebook's cell how far it is; None where there is no notebook."""
    if not in_notebook():
        yield None
        return
    place = _Place()
    try:
        yield Waiting(place)
    finally:
        place.clear()


def in_notebook() -> bool:
    """Whether this runs in a notebook's kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")
