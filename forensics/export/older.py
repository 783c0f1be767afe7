"""What older servers do not know, and what can be made of it.

By rule: the version that brought it, what it looks like in SQL whose texts are blanked, and what is
done where the server is older. What only says how rows are stored, or guards them, is taken away
and said; what makes the table or the type itself cannot be taken back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from forensics.export.masking import closing, masked

Version = tuple[int, int]
FLOOR: Version = (10, 0)  # the oldest that is thought of where none is named

Deed = Literal["drop", "cut", "replace", "keep"]


@dataclass(frozen=True)
class Said:
    """What is to be known of a statement.

    Attributes:
        line: within its text, from 0 on.
        words: what it is.
        fatal: whether the server will refuse it.
    """

    line: int
    words: str
    fatal: bool


@dataclass
class Adapted:
    """A statement for a server; `sql` is None where nothing of it is left."""

    sql: str | None
    said: list[Said] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """Something that a version brought.

    Attributes:
        since: the version.
        pattern: what it looks like, in masked SQL.
        deed: drop the statement, cut the words out, replace them, or keep what cannot be helped.
        words: what is said of it; "" where nothing is lost.
        within: what the statement begins with.
        by: what replaces the words.
    """

    since: Version
    pattern: re.Pattern[str]
    deed: Deed
    words: str
    within: re.Pattern[str]
    by: str = ""


def _rule(
    since: int, pattern: str, deed: Deed, words: str = "", within: str = "", by: str = ""
) -> Rule:
    found = re.compile(pattern, re.I | re.S)
    return Rule((since, 0), found, deed, words, re.compile(rf"\s*{within}", re.I), by)


_TABLE = r"CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+)?TABLE\b"
_ALTER = r"ALTER\s+TABLE\b"
_OPTIONS = (
    (13, r"(?:toast\.)?autovacuum_vacuum_insert_(?:threshold|scale_factor)"),
    (13, r"deduplicate_items"),
    (12, r"(?:toast\.)?vacuum_(?:truncate|index_cleanup)"),
    (18, r"(?:toast\.)?(?:vacuum_max_eager_freeze_failure_rate|autovacuum_vacuum_max_threshold)"),
    (11, r"toast_tuple_target"),
)
_RULES = (
    _rule(11, r"\bEXECUTE\s+FUNCTION\b", "replace", by="EXECUTE PROCEDURE", within="CREATE"),
    _rule(18, r"\bpg_restore_(?:relation|attribute)_stats\b", "drop", within="SELECT"),
    _rule(14, r"\bSET\s+COMPRESSION\b", "drop", "how values are compressed", within=_ALTER),
    _rule(14, r"\s+COMPRESSION\s+\w+", "cut", "how values are compressed", within=_TABLE),
    _rule(
        14,
        r",?\s*MULTIRANGE_TYPE_NAME\s*=\s*[\w\".$]+",
        "cut",
        "the name of its multirange",
        within=r"CREATE\s+TYPE\b",
    ),
    _rule(14, r"\b\w+multirange\b", "keep", "a multirange", within=_TABLE),
    _rule(14, r"\bBEGIN\s+ATOMIC\b", "keep", "a body of SQL's own", within="CREATE"),
    _rule(15, r"\s+NULLS\s+NOT\s+DISTINCT\b", "cut", "that NULLs are equal in a key"),
    _rule(18, r"\bNOT\s+ENFORCED\b", "drop", "a constraint that is not enforced", within=_ALTER),
    _rule(18, r"\bNOT\s+ENFORCED\b", "keep", "a constraint that is not enforced", within=_TABLE),
    _rule(18, r"\bWITHOUT\s+OVERLAPS\b|\bPERIOD\s", "drop", "a key over time", within=_ALTER),
    _rule(
        18,
        r"\bADD\s+CONSTRAINT\s+\S+\s+NOT\s+NULL\s+(\S+?)(?:\s+NO\s+INHERIT)?\s+NOT\s+VALID",
        "drop",
        "a NOT NULL that was never validated",
        within=_ALTER,
    ),
    _rule(
        18,
        r"\bADD\s+CONSTRAINT\s+\S+\s+NOT\s+NULL\s+([^\s;]+)(?:\s+NO\s+INHERIT)?",
        "replace",
        within=_ALTER,
        by=r"ALTER COLUMN \1 SET NOT NULL",
    ),
    _rule(18, r"(?<=NOT NULL)\s+NO\s+INHERIT\b", "cut", "NO INHERIT of a NOT NULL", within=_TABLE),
    _rule(12, r"\)\s*STORED\b", "keep", "a generated column", within=_TABLE),
    _rule(10, r"\bAS\s+IDENTITY\b", "keep", "an identity column"),
    _rule(10, r"\bPARTITION\s+BY\b", "keep", "a partitioned table", within=_TABLE),
    _rule(11, r"\bPARTITION\s+BY\s+HASH\b", "keep", "partitions by hash", within=_TABLE),
    _rule(11, r"\bATTACH\s+PARTITION\s+\S+\s+DEFAULT\b", "keep", "a default partition"),
    _rule(11, r"", "keep", "a procedure", within=r"CREATE\s+(?:OR\s+REPLACE\s+)?PROCEDURE\b"),
    _rule(11, r"\s+INCLUDE\s*\([^)]*\)", "cut", "columns that an index includes"),
    _rule(11, r"\bON\s+ONLY\b", "drop", "an index of a partitioned table", within=r"CREATE.*INDEX"),
    _rule(12, r"\bdeterministic\s*=\s*false\b", "keep", "a nondeterministic collation"),
    _rule(17, r"\bprovider\s*=\s*builtin\b", "keep", "a builtin collation"),
    _rule(10, r"", "drop", "extended statistics", within=r"CREATE\s+STATISTICS\b"),
    _rule(
        14,
        r"\bON\s*\(?.*\(.*\bFROM\b",
        "drop",
        "statistics of expressions",
        within=r"CREATE\s+STATISTICS\b",
    ),
    _rule(
        12,
        r"\([^)]*\bmcv\b",
        "drop",
        "statistics of most common values",
        within=r"CREATE\s+STATISTICS\b",
    ),
    _rule(
        15,
        r"\bsecurity_invoker\b",
        "keep",
        "a view with its reader's rights",
        within=r"CREATE.*VIEW",
    ),
    _rule(
        15,
        r"\bTABLES\s+IN\s+SCHEMA\b",
        "drop",
        "a publication of a schema",
        within=r"(?:CREATE|ALTER)\s+PUBLICATION\b",
    ),
    _rule(
        15,
        r"\bADD\s+TABLE\b.*(?:\(|\bWHERE\b)",
        "drop",
        "a publication of some rows or columns",
        within=r"ALTER\s+PUBLICATION\b",
    ),
    _rule(15, r"\bON\s+PARAMETER\b", "drop", "a grant on a parameter", within=r"(?:GRANT|REVOKE)"),
    _rule(17, r"^\s*(?:GRANT|REVOKE)\s+MAINTAIN\s+ON\b", "drop", "the right to maintain"),
    _rule(
        17,
        r"\bMAINTAIN\s*,\s*|\s*,\s*MAINTAIN\b",
        "cut",
        "the right to maintain",
        within=r"(?:GRANT|REVOKE|ALTER\s+DEFAULT)",
    ),
    _rule(16, r"\s+WITH\s+INHERIT\s+TRUE(?:\s*,\s*SET\s+TRUE)?", "cut", "", within="GRANT"),
    _rule(15, r"\s+LOCALE_PROVIDER\s*=\s*libc\b", "cut", "", within=r"CREATE\s+DATABASE\b"),
    _rule(13, r"\bxid8\b|\bpg_snapshot\b", "keep", "a type of PostgreSQL 13", within=_TABLE),
    *(
        _rule(since, rf"\s*{name}\s*=\s*(?:'[^']*'|\w+)\s*,?", "cut", "how it is stored or cleaned")
        for since, name in _OPTIONS
    ),
    _rule(
        10, r"^(\s*CREATE\s+SEQUENCE\s+\S+)\s+AS\s+(?:smallint|integer|bigint)", "replace", by=r"\1"
    ),
)
_EMPTY_OPTIONS = re.compile(
    r"\s+WITH\s*\(\s*\)|,(?=\s*\)\s*(?:;|$|WHERE|TABLESPACE|PARTITION))", re.I
)

# Settings, by the version that brought them; of these, the value that changes nothing.
_SETTINGS: dict[str, tuple[Version, str]] = {
    "transaction_timeout": ((17, 0), "0"),
    "restrict_nonsystem_relation_kind": ((17, 0), ""),
    "event_triggers": ((17, 0), ""),
    "idle_session_timeout": ((14, 0), "0"),
    "default_toast_compression": ((14, 0), ""),
    "default_table_access_method": ((12, 0), "heap"),
    "idle_in_transaction_session_timeout": ((9, 6), "0"),
    "row_security": ((9, 5), "off"),
    "lock_timeout": ((9, 3), "0"),
}
_SET = re.compile(r"\s*SET\s+(?:SESSION\s+)?(\w+)\s*(?:=|TO)\s*'?\"?([^'\";]*)", re.I)
_OIDS = re.compile(r"\bWITH\s*\(\s*OIDS\s*=\s*true\s*\)|\bWITH\s+OIDS\b", re.I)
_GENERATED = re.compile(r"\bGENERATED\s+ALWAYS\s+AS\s*(?=\()", re.I)
_VIRTUAL = re.compile(r"\s*VIRTUAL\b", re.I)
_STORED = re.compile(r"\s*STORED\b", re.I)
_NO_MORE_OIDS: Version = (12, 0)


def adapted(sql: str, target: Version | None) -> Adapted:
    """Return a statement as a server of a version takes it.

    Args:
        sql: one statement.
        target: the server's version; None where it is not known: what is lost by being taken back
            then stays, and is said.
    """
    mask = masked(sql)
    if setting := _SET.match(mask):
        return _setting(sql, setting[1].lower(), _SET.match(sql), target)
    made = Adapted(sql)
    for take in (_with_rules, _with_generated, _without_oids):
        if made.sql is not None:
            take(made, target)
    return made


def _setting(sql: str, name: str, found: re.Match[str] | None, target: Version | None) -> Adapted:
    value = found[2].strip().lower() if found else ""
    if name == "default_with_oids":
        if value in ("true", "on") and (target is None or target < _NO_MORE_OIDS):
            return Adapted(sql)
        return Adapted(None)
    since, harmless = _SETTINGS.get(name, (FLOOR, ""))
    if since <= (target or FLOOR):
        return Adapted(sql)
    if value == harmless or name in ("restrict_nonsystem_relation_kind", "event_triggers"):
        return Adapted(None)
    words = f"{name} = {value} (of PostgreSQL {_shown(since)}) is left out"
    if target is None:
        return Adapted(sql, [Said(0, f"{name} needs PostgreSQL {_shown(since)}", False)])
    return Adapted(None, [Said(0, words, False)])


def _shown(version: Version) -> str:
    if version[0] >= 10:
        return str(version[0])
    return f"{version[0]}.{version[1]}"


def _with_rules(made: Adapted, target: Version | None) -> None:
    for rule in _RULES:
        if made.sql is None:
            return
        if rule.since <= (target or FLOOR):
            continue
        mask = masked(made.sql)
        begins = len(mask) - len(mask.lstrip())
        if not rule.within.match(mask, begins):
            continue
        found = rule.pattern.search(mask)
        if found:
            _apply(made, rule, found, target)


def _apply(made: Adapted, rule: Rule, found: re.Match[str], target: Version | None) -> None:
    assert made.sql is not None
    line = made.sql.count("\n", 0, found.start())
    of = f"{rule.words} (of PostgreSQL {_shown(rule.since)})"
    if rule.words and target is None:
        needs = f"{rule.words} needs PostgreSQL {_shown(rule.since)}"
        made.said.append(Said(line, needs, False))
        return
    if rule.deed == "keep":
        made.said.append(Said(line, f"{of} cannot be taken back", True))
        return
    if rule.words:
        made.said.append(Said(line, f"{of} is left out", False))
    if rule.deed == "drop":
        made.sql = None
    else:
        made.sql = _changed(made.sql, rule)


def _changed(sql: str, rule: Rule) -> str:
    """A statement with what a rule finds cut out, or replaced, each time."""
    parts, at = [], 0
    for found in rule.pattern.finditer(masked(sql)):
        parts.append(sql[at : found.start()])
        real = sql[found.start() : found.end()]
        if rule.deed == "replace":
            parts.append(_replaced(found, sql, rule.by))
        elif "\n" in real and real.rstrip().endswith(","):
            parts.append("\n")
        at = found.end()
    parts.append(sql[at:])
    made = "".join(parts)
    empty = _EMPTY_OPTIONS.search(masked(made))
    if rule.deed == "cut" and empty:
        made = made[: empty.start()] + made[empty.end() :]
    return made


def _replaced(found: re.Match[str], sql: str, by: str) -> str:
    if r"\1" not in by:
        return by
    return by.replace(r"\1", sql[found.start(1) : found.end(1)])


def _with_generated(made: Adapted, target: Version | None) -> None:
    """Columns that are worked out when they are read are stored by servers from 12 to 17."""
    assert made.sql is not None
    if target is not None and target >= (18, 0):
        return
    sql, mask, at = made.sql, masked(made.sql), 0
    if not re.match(rf"\s*{_TABLE}", mask, re.I):
        return
    parts = []
    for found in _GENERATED.finditer(mask):
        end = closing(mask, found.end())
        if end is None or _STORED.match(mask, end + 1):
            continue
        line = sql.count("\n", 0, found.start())
        words = "a virtual generated column"
        if target is None:
            made.said.append(Said(line, f"{words} needs PostgreSQL 18", False))
            continue
        if target < (12, 0):
            made.said.append(Said(line, f"{words} (of PostgreSQL 18) cannot be taken back", True))
            continue
        made.said.append(Said(line, f"{words} (of PostgreSQL 18) is stored instead", False))
        parts.append(f"{sql[at : end + 1]} STORED")
        at = end + 1
        if virtual := _VIRTUAL.match(mask, at):
            at = virtual.end()
    made.sql = "".join(parts) + sql[at:]


def _without_oids(made: Adapted, target: Version | None) -> None:
    """Row ids of their own, which tables had up to PostgreSQL 11."""
    assert made.sql is not None
    if target is not None and target < _NO_MORE_OIDS:
        return
    mask = masked(made.sql)
    found = _OIDS.search(mask)
    if found and re.match(rf"\s*{_TABLE}", mask, re.I):
        line = made.sql.count("\n", 0, found.start())
        made.said.append(Said(line, "row ids (up to PostgreSQL 11) are left out", False))
        made.sql = made.sql[: found.start()] + made.sql[found.end() :]
