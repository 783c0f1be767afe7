"""How it happened: the moments, the migration, the worst of its statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.markup import bullets
from forensics.report.brief import cause_sentences, statement
from forensics.report.document import Document, of_table
from forensics.report.parts import unexplained
from forensics.report.sections.section import Context, Section
from forensics.text import code, count, counted, marked, moment

_WORST = 5  # statements


def html(d: Document) -> Context | None:
    """The cause in short."""
    if d.nothing_missing and not d.struck:
        return None
    return {
        "said": list(cause_sentences(d)),
        "worst": _worst(d),
        "more": max(len(d.struck) - _WORST, 0),
        "rest": rest(d),
    }


def markdown(d: Document) -> list[str]:
    """The same."""
    if d.nothing_missing and not d.struck:
        return []
    parts = ["## How it happened", marked(" ".join(cause_sentences(d)))]
    moments = [f"{one.said}: {moment(one.at)}" for one in d.moments]
    if moments:
        parts.append(bullets(moments))
    said = []
    for entry in _worst(d):
        line = f"line {count(entry['line'])}: {code(statement(entry))} took {took(entry)}"
        said.append(line)
    if said:
        parts.append(bullets(said))
    if rest(d):
        parts.append(rest(d))
    return parts


def _worst(d: Document) -> list[Mapping[str, Any]]:
    found = [entry for entry in d.struck if entry["sql"]]
    return found[:_WORST]


def took(entry: Mapping[str, Any]) -> str:
    """What a statement took, in words."""
    if entry["rows"] is None:
        return "an unknown number of rows"
    if entry["rows"]:
        number = counted(entry["rows"], "value" if entry.get("column") else "row")
        if entry["table"] in (entry["sql"] or ""):
            return number
        return f"{number} of {of_table(entry)}"
    if entry.get("changed"):
        return f"{counted(entry['changed'], 'value')}, overwritten"
    filled = entry.get("blanked") or 0
    return f"nothing: it filled {counted(filled, 'NULL')}"


def rest(d: Document) -> str:
    """What no statement accounts for, in a sentence; nothing where all of it is."""
    number = unexplained(d)
    if not number:
        return ""
    tables = counted(len(d.unlaid_tables), "table")
    be = "is" if number == 1 else "are"
    return (
        f"{counted(number, 'missing row')} of {tables} {be} laid at no statement: people and "
        "programs delete rows every day, and these may be of that kind."
    )


SECTION = Section("story", "How it happened", html, markdown, folded=False)
