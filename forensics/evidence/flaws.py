"""Rows that their table cannot hold, told apart from sound ones as blocks of COPY text stream by.

A row has as many fields as its table has columns, whatever happened to the file since; and where
`holding` knows a column's type, a field that may be a value of it. Lines that another program wrote
between the rows are neither. A block costs a look at its tabs and line feeds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np

from forensics.errors import BackupError
from forensics.evidence.blocks import Block
from forensics.evidence.columns import Check, Fields, kinds_of

_TAB, _LINE_FEED = 9, 10
_PADDING = bytes(256)  # fields are looked at some bytes further than they go

_PROGRAM = rb"(?:pg_dump|pg_dumpall|pg_restore|psql)(?:\.exe)?: "
_LEVEL = rb"(?:error|warning|detail|hint|info|fatal|\[[\w ()]+\])"
_MESSAGE = re.compile(
    _PROGRAM + _LEVEL + rb"|^(?:" + _PROGRAM + rb"|(?:ERROR|WARNING|NOTICE|FATAL):  )", re.M
)


@dataclass(frozen=True)
class Flaw:
    """What is wrong with one row.

    Attributes:
        row: its number in the run of rows, from 0 on.
        words: what it is or holds, to be said behind "row 5".
    """

    row: int
    words: str


@dataclass
class Flaws:
    """The rows of a run that are none: the first of them, and how many there are."""

    first: Flaw | None = None
    count: int = 0

    def add(self, flaw: Flaw) -> None:
        """Take note of one more."""
        self.count += 1
        if self.first is None or flaw.row < self.first.row:
            self.first = flaw


@dataclass
class _Judged:
    """A block, and which of its rows are not to be handed on.

    Attributes:
        torn: rows that have too few fields: a line feed may have come into one, and then the rows
            beside them are in doubt, too.
    """

    dropped: np.ndarray
    torn: np.ndarray


def is_even(rows: bytes, columns: Sequence[str]) -> bool:
    """Whether all of some whole lines have as many fields as there are columns."""
    judge = Judge(columns)
    for _ in judge.sound([rows]):
        pass
    return judge.flaws.first is None


@dataclass
class Judge:
    """Tells sound rows of one run from what is none.

    Args:
        columns: what stands in a row, in order.
        checks: by column, what tells values that it cannot hold; nothing where only fields are
            counted.
        among_messages: whether the run is known to be damaged, so that a line with a program's
            message is none, whatever else it looks like.
    """

    columns: Sequence[str]
    checks: Mapping[str, tuple[str, Check]] = field(default_factory=dict)
    among_messages: bool = False
    flaws: Flaws = field(default_factory=Flaws)
    _row: int = 0
    _held: bytes = b""
    _after_torn: bool = False

    def sound(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield the rows that are sound, and take note of the others in `flaws`."""
        try:
            for block in blocks:
                yield from self._next(bytes(block))
        except BackupError:
            yield from self._last()
            raise
        yield from self._last()

    def _next(self, text: bytes) -> Iterator[bytes]:
        """Yield the block before, now that it is known what stands behind it, and hold this one."""
        if not text.endswith(b"\n"):
            text += b"\n"
        rows, judged = self._judge(text)
        self._row += rows
        if judged is None and not self._after_torn:
            yield from self._last()
            self._held = text
            return
        if judged is None:
            none = np.zeros(rows, dtype=bool)
            judged = _Judged(none, none)
        dropped = judged.dropped | _beside(judged.torn)
        dropped[:1] |= self._after_torn
        if judged.torn[:1].any():
            self._held = _without_last(self._held)
        yield from self._last()
        self._held = _kept(text, dropped)
        self._after_torn = bool(judged.torn[-1:].any())

    def _last(self) -> Iterator[bytes]:
        """Yield what is held."""
        if self._held:
            yield self._held
        self._held = b""

    # --- one block --------------------------------------------------------------------------------

    def _judge(self, text: bytes) -> tuple[int, _Judged | None]:
        """How many rows a block has, and which are unsound; None where all are sound."""
        data = np.frombuffer(text, dtype=np.uint8)
        borders = np.flatnonzero((data == _TAB) | (data == _LINE_FEED))
        width = max(1, len(self.columns))
        rows = int(np.count_nonzero(data == _LINE_FEED))
        even = len(borders) == rows * width
        even = even and bool((data[borders[width - 1 :: width]] == _LINE_FEED).all())
        suspect = self.among_messages and _MESSAGE.search(text) is not None
        if not self.columns:
            even = even and rows == len(data)
        if even and not suspect:
            return rows, self._by_value(text, borders, rows)
        return rows, self._by_line(text, data)

    def _by_value(self, text: bytes, borders: np.ndarray, rows: int) -> _Judged | None:
        """Judge rows that have as many fields as they ought to."""
        if not self.checks or not rows:
            return None
        dropped = np.zeros(rows, dtype=bool)
        for row, words in self._misfits(text, borders):
            if not dropped[row]:
                self.flaws.add(Flaw(self._row + row, words))
            dropped[row] = True
        if not dropped.any():
            return None
        return _Judged(dropped, np.zeros(rows, dtype=bool))

    def _misfits(self, text: bytes, borders: np.ndarray) -> Iterator[tuple[int, str]]:
        """Yield each row with a value that its column cannot hold, and what is to be said of it."""
        width = max(1, len(self.columns))
        starts = np.concatenate(([0], borders[:-1] + 1))
        lengths = (borders - starts).reshape(-1, width)
        kinds = cache(partial(kinds_of, text, starts))
        starts = starts.reshape(-1, width)
        data = np.frombuffer(text + _PADDING, dtype=np.uint8)
        for place, column in enumerate(self.columns):
            if column not in self.checks:
                continue
            type_name, check = self.checks[column]
            told = partial(_every, kinds, place, width)
            fields = Fields(text, data, starts[:, place], lengths[:, place], told)
            words = f"holds a value in column {column} that {type_name} cannot hold"
            for row in check(fields).tolist():
                yield row, words

    def _by_line(self, text: bytes, data: np.ndarray) -> _Judged:
        """Judge rows of which some do not have as many fields as they ought to."""
        feeds = np.flatnonzero(data == _LINE_FEED)
        starts = np.concatenate(([0], feeds[:-1] + 1))
        tabs = np.searchsorted(np.flatnonzero(data == _TAB), feeds)
        fields = np.diff(tabs, prepend=0) + 1
        if not self.columns:
            fields = np.where(feeds == starts, 0, fields)
        messages = self._messages(text, feeds)
        dropped = (fields != len(self.columns)) | messages
        torn = (fields < len(self.columns)) & ~messages
        for row in np.flatnonzero(dropped).tolist():
            words = "is a message of another program, and no row"
            if not messages[row]:
                words = f"has {fields[row]} fields, and the table {len(self.columns)} columns"
            self.flaws.add(Flaw(self._row + row, words))
        self._add_misfits(text, dropped)
        return _Judged(dropped, torn)

    def _messages(self, text: bytes, feeds: np.ndarray) -> np.ndarray:
        """Which lines are, or hold, a program's message."""
        found = np.zeros(len(feeds), dtype=bool)
        for match in _MESSAGE.finditer(text):
            line = int(np.searchsorted(feeds, match.start()))
            at_start = match.start() == 0 or text[match.start() - 1] == _LINE_FEED
            if self.among_messages or (at_start and b"\t" not in _line(text, feeds, line)):
                found[line] = True
        return found

    def _add_misfits(self, text: bytes, dropped: np.ndarray) -> None:
        """Judge those rows by their values that are not dropped yet, and drop what does not fit."""
        places = np.flatnonzero(~dropped)
        if not self.checks or not len(places):
            return
        some = _kept(text, dropped)
        data = np.frombuffer(some, dtype=np.uint8)
        borders = np.flatnonzero((data == _TAB) | (data == _LINE_FEED))
        for row, words in self._misfits(some, borders):
            place = int(places[row])
            if not dropped[place]:
                self.flaws.add(Flaw(self._row + place, words))
            dropped[place] = True


def _every(found: Callable[[], np.ndarray], place: int, width: int) -> np.ndarray:
    """What was found for one field of each row, of what is found for all."""
    return found()[place::width]


def _line(text: bytes, feeds: np.ndarray, line: int) -> bytes:
    start = 0
    if line:
        start = int(feeds[line - 1]) + 1
    return text[start : int(feeds[line])]


def _beside(torn: np.ndarray) -> np.ndarray:
    """The rows before and after those that are torn."""
    found = np.zeros(len(torn), dtype=bool)
    found[1:] |= torn[:-1]
    found[:-1] |= torn[1:]
    return found


def _kept(text: bytes, dropped: np.ndarray) -> bytes:
    """A block without some of its lines."""
    data = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(data == _LINE_FEED) + 1
    lengths = np.diff(ends, prepend=0)
    return bytes(data[np.repeat(~dropped, lengths)])


def _without_last(text: bytes) -> bytes:
    """A block without its last line."""
    return text[: text.rfind(b"\n", 0, len(text) - 1) + 1]
