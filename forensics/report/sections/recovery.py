"""The ways back: what each recovers, what it destroys, and what a rehearsal proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.markup import bullets, code, table, text
from forensics.report.document import Document, of
from forensics.report.sections.section import Context, Section
from forensics.report.sections.wayout import worth_showing
from forensics.text import count, examples, fact, marked, prose

_NUMBERS = ("recovers", "freed", "destroys", "blocked", "verified", "seconds")
_PROVEN = (
    "Each option was carried out on a throw-away PostgreSQL, on copies of live and of the backup:"
)

Options = Sequence[Mapping[str, Any]]


def html(d: Document) -> Context | None:
    """The options, their price, and the rehearsal."""
    if not d.recovery:
        return None
    return {"options": worth_showing(d.recovery["options"])}


def markdown(d: Document) -> list[str]:
    """The options, their price, and the rehearsal."""
    if not d.recovery:
        return []
    options = worth_showing(d.recovery["options"])
    parts = ["## Recovery"]
    if d.unrehearsed:
        parts.append(f"> **{prose(d.unrehearsed)}**")
    parts.append(_numbers(options))
    parts.append(bullets(map(_caveat, options)))
    parts += _destroyed(options)
    parts += _stays(d.recovery.get("stays") or ())
    parts += _proofs(options)
    if d.recovery.get("rehearsal"):
        parts += _rehearsal(d.recovery["rehearsal"])
    if d.recovery.get("problem"):
        parts.append(f"> **The rehearsal failed:** {prose(d.recovery['problem'])}")
    return parts


def _numbers(options: Options) -> str:
    rows = []
    for option in options:
        numbers = [text(fact(option.get(name))) for name in _NUMBERS]
        rows.append((text(option["name"]), *numbers))
    return table(("option", *_NUMBERS), rows)


def _caveat(option: Mapping[str, Any]) -> str:
    name = text(option["name"])
    caveats = marked(" ".join(option["caveats"]))
    application = marked(option["application"])
    return f"**{name}**: {caveats} What the application needs: {application}"


def _destroyed(options: Options) -> list[str]:
    rows = []
    for option in options:
        for entry in sorted(option["destroyed"], key=lambda e: -e["rows"]):
            rows.append(
                (
                    text(option["name"]),
                    code(of(entry)),
                    text(examples(entry["examples"])),
                    count(entry["rows"]),
                )
            )
    if not rows:
        return []
    head = ("option", "table", "for example", "rows")
    return ["What they destroy:", table(head, rows, 3)]


def _stays(stays: Options) -> list[str]:
    rows = []
    for stay in stays:
        place = of(stay)
        number = "not known" if stay["rows"] is None else count(stay["rows"])
        rows.append((code(place), text(stay["class"]), marked(stay["reason"]), number))
    if not rows:
        return []
    head = ("table", "class", "why", "rows or values")
    return ["What stays when recovery.sql has run:", table(head, rows, 3)]


def _proofs(options: Options) -> list[str]:
    said = []
    for option in options:
        proof = option.get("proof")
        if not proof:
            continue
        checks = prose(" ".join((*proof["checks"], *proof["notes"])))
        sentence = f"**{text(option['name'])}**: {checks}"
        if proof["problems"]:
            problems = prose(" ".join(proof["problems"]))
            sentence += f" **It does not hold: {problems}**"
        elif proof.get("lacks"):
            sentence += f" **Not verified: {prose(' '.join(proof['lacks']))}**"
        said.append(sentence)
    if not said:
        return []
    return [_PROVEN, bullets(said)]


def _rehearsal(rehearsal: Mapping[str, Any]) -> list[str]:
    numbers = []
    for name, value in rehearsal.items():
        if not isinstance(value, list | dict):
            numbers.append(f"{name.replace('_', ' ')}: {text(fact(value))}")
    return ["recovery.sql and undo.sql, in numbers:", bullets(numbers)]


SECTION = Section("recovery", "Recovery", html, markdown)
