"""What the statements, meta-commands and comments of a plain dump look like, as far as they say
something about what stands where.
"""

from __future__ import annotations

import re

COPY_END = b" FROM stdin;"
HEAD_BYTES = 1 << 16  # of a statement, looked at to tell what it is

# What brings tables or rows, by its first word.
BRINGS = re.compile(rb"(?:CREATE|COPY|INSERT|ALTER)\b", re.I)
NAME = rb'(?:"(?:[^"]|"")*"|[\w$\x80-\xff]+)'

# --- statements -----------------------------------------------------------------------------------

CREATES_TABLE = re.compile(rb"CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+)?TABLE\b", re.I)
MAKES_TABLE = re.compile(
    CREATES_TABLE.pattern + rb"\s*(" + NAME + rb"(?:\s*\.\s*" + NAME + rb")?)", re.I
)
# As pg_dump writes it (WITH OIDS up to PostgreSQL 11); what people write is left to PostgreSQL's
# own parser. Groups: the table, the list of columns, WITH OIDS.
COPY = re.compile(
    rb"COPY\s+(" + NAME + rb"(?:\s*\.\s*" + NAME + rb")?)"
    rb'\s*(?:\(([^()]*+|(?:[^()"]|"(?:[^"]|"")*+")*+)\))?'
    rb"\s*(WITH\s+OIDS\s+)?FROM\s+stdin\s*;\Z",
    re.S | re.I,
)
FROM_STDIN = re.compile(rb"\bFROM\s+STDIN\b", re.I)
INSERT = re.compile(
    rb"INSERT\s+INTO\s+(" + NAME + rb"(?:\." + NAME + rb")?)\s*",
    re.I,
)
SETTING = re.compile(
    rb"SET\s+(client_encoding|standard_conforming_strings|row_security)"
    rb"\s*(?:=|TO)\s*'?([\w-]+)'?\s*;\Z",
    re.I,
)
ON = (b"on", b"true", b"yes", b"1")
SEARCH_PATH = re.compile(rb"SET\s+search_path\s*(?:=|TO)\s*(" + NAME + rb")", re.I)
CHANGES_ROWS = re.compile(
    rb"(UPDATE|DELETE|TRUNCATE|MERGE)\b(?!\s+(?:FROM\s+)?pg_catalog\.)",
    re.I,
)

# --- meta-commands of psql ------------------------------------------------------------------------

CONNECT = re.compile(
    rb"\\c(?:onnect)?\s+(?:-reuse-previous=\w+\s+)?"
    rb"(\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\S+)"
)
COPY_IN = re.compile(rb"\\(copy\s+(?!\()[^\r\n]*\sfrom\s[^\r\n]*)", re.I)
ENCODING = re.compile(rb"\\encoding\s+'?([\w-]+)")
INCLUDE = re.compile(rb"\\(?:i|ir|include|include_relative)\s+(\S[^\r\n]*)")
RESTRICT = re.compile(rb"\\(un)?restrict\s+(\S+)")

# --- comments -------------------------------------------------------------------------------------

# The writer's own words: versions, times, the first and the last line.
WRITERS_WORDS = (
    b"PostgreSQL database",
    b"Greenplum Database database",
    b"Dumped ",
    b"Started on",
    b"Completed on",
)
# What it writes above any other object.
OTHER_HEADING = re.compile(rb"Name: .*; Type: ")
BEGINS_HEADING = re.compile(rb"(?:Data for )?Name: (?!.*; Type: )")
# What pg_dump writes above a table's rows, even where there are none: it tells an empty table
# from one left out.
# Up to 7.4 it had a number instead of the first two words.
DATA_HEADING = re.compile(
    rb"(?:Data for Name: |Name: (?=[^;]*; Type: TABLE DATA; Schema: [^;]*; Owner: [^;]*\Z))"
    rb"(.*); Type: TABLE DATA; Schema: (.*); Owner: ",
)

# Strings and quoted names as they are; comments, which may stand between any two words.
_COMMENTS = re.compile(
    rb"('[^']*+'|\"[^\"]*+\")"
    rb"|--[^\n]*+"
    rb"|/\*(?:[^*/]|\*(?!/)|/(?!\*)|/\*.*?\*/)*+\*/",
    re.S,
)


def without_comments(text: bytes) -> bytes:
    """Return SQL with a blank in the place of every comment."""
    if b"--" not in text and b"/*" not in text:
        return text
    return _COMMENTS.sub(_but_for_strings, text)


def _but_for_strings(match: re.Match[bytes]) -> bytes:
    return match[1] or b" "


# --- lines and blanks -----------------------------------------------------------------------------

# Around its headings pg_dump writes lines that hold nothing but the two dashes.
SPACE = re.compile(rb"(?:\s++|--[ \t\r]*+\n)*+")
LINE = re.compile(rb"[^\n]*+\n?")
