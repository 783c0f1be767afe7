"""Text that was UTF-8 and was read as something else on its way: through a code page, or twice.

Each letter with a mark has then become two or three signs, which stand for bytes that are UTF-8
once more. A row counts as garbled where all of its signs beyond ASCII can be read so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import pyarrow as pa

_BEYOND_ASCII = r"[^\x00-\x7f]"
_REPLACED = "\ufffd"  # what a code page has no sign for becomes this, or a control character
# What text is taken for by mistake, the likeliest first; of each whether the signs for the first
# bytes of UTF-8 are ones that nobody writes.
_PAGES: Mapping[str, tuple[str, bool]] = {
    "Windows-1252": ("cp1252", False),
    "Latin-1": ("latin-1", False),
    "code page 437": ("cp437", True),
    "code page 850": ("cp850", True),
    "code page 858": ("cp858", True),
    "Windows-1250": ("cp1250", False),
    "Windows-1251": ("cp1251", False),
    "code page 866": ("cp866", True),
    "code page 852": ("cp852", True),
    "Windows-1254": ("cp1254", False),
    "Windows-1253": ("cp1253", False),
    "KOI8-R": ("koi8-r", False),
    "Mac Roman": ("mac-roman", False),
}
# Where three bytes of UTF-8 are the letters of a word.
_WORDS = ("code page 866",)
# Whose signs for the first bytes no alphabet has in the places that make them UTF-8.
_EVEN_IN_PART = ("Windows-1252", "Latin-1", "code page 437", "code page 850", "code page 858")
_LEADS = {2: range(0xC2, 0xE0), 3: range(0xE0, 0xF0), 4: range(0xF0, 0xF5)}
_FOLLOWING = range(0x80, 0xC0)
_TRIED = 2_000  # rows beyond ASCII, after which pages that explain next to none are left out
_NEXT_TO_NONE = 0.02
_NEARLY_ALL = 0.9
_FEW = 3
_IN_PART = 0.05
_SEVERAL = 5


@dataclass(frozen=True)
class Garbled:
    """What is garbled of some rows.

    Attributes:
        page: what the text was likely taken for.
        rows: how many rows are garbled, of so many (`of`) with anything beyond ASCII.
    """

    page: str
    rows: int
    of: int

    @property
    def throughout(self) -> bool:
        """Whether so many are that the text as a whole went that way."""
        few = self.rows < _FEW and not _PAGES[self.page][1]
        return not few and self.rows >= _NEARLY_ALL * self.of

    @property
    def in_part(self) -> bool:
        """Whether enough are to be said, though others are sound."""
        if self.throughout or self.page not in _EVEN_IN_PART:
            return False
        return self.rows >= max(_SEVERAL, _IN_PART * self.of)

    def __str__(self) -> str:
        """The share, in words."""
        return f"{self.rows:,} of {self.of:,} rows with letters beyond ASCII"


@dataclass
class Tally:
    """Counts garbled rows as they pass.

    Attributes:
        of: how many rows had anything beyond ASCII.
        rows: by code page, how many of them are garbled by way of it.
    """

    of: int = 0
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_PAGES, 0))

    def add(self, lines: pa.Array) -> None:
        """Count rows, given as lines."""
        import pyarrow.compute as pc

        if not self.rows:
            return
        beyond = lines.filter(pc.match_substring_regex(lines, _BEYOND_ASCII))
        if not len(beyond):
            return
        self.of += len(beyond)
        for page in self.rows:
            garbled = pc.sum(pc.match_substring_regex(beyond, _garbled(page))).as_py()
            self.rows[page] += garbled or 0
        if self.of > _TRIED:
            least = _NEXT_TO_NONE * self.of
            self.rows = {page: rows for page, rows in self.rows.items() if rows >= least}

    @property
    def found(self) -> Garbled | None:
        """What is garbled by way of the likeliest page, or None."""
        page = max(self.rows, key=self._rows_of, default=None)
        if page is None or not self.rows[page]:
            return None
        return Garbled(page, self.rows[page], self.of)

    def _rows_of(self, page: str) -> int:
        return self.rows[page]


def together(tallies: Iterable[Tally]) -> Tally:
    """Return the tally of all rows of several."""
    whole = Tally()
    for tally in tallies:
        whole.of += tally.of
        for page, rows in tally.rows.items():
            whole.rows[page] += rows
    return whole


@cache
def _garbled(page: str) -> str:
    """What matches a line whose signs beyond ASCII are all bytes of UTF-8 by way of a page."""
    codec, _ = _PAGES[page]
    following = _signs(codec, _FOLLOWING) + rf"\x{{{ord(_REPLACED):x}}}"
    runs = []
    for length, leads in _LEADS.items():
        runs.append(f"[{_signs(codec, leads)}][{following}]{{{length - 1}}}")
    any_run = f"(?:{'|'.join(runs)}|[\\x00-\\x7f])*"
    needed = f"(?:{'|'.join(runs)})"
    if page in _WORDS:
        needed = runs[0]
    return rf"(?s)\A{any_run}{needed}{any_run}\z"


def _signs(codec: str, codes: range) -> str:
    """The signs that bytes are in a code page; a control character where it has none."""
    found = []
    for code in codes:
        sign = bytes((code,)).decode(codec, "replace")
        if sign == _REPLACED:
            sign = chr(code)
        found.append(rf"\x{{{ord(sign):x}}}")
    return "".join(found)
