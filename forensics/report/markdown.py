"""The report as Markdown, for an issue, a wiki or a chat. Values in it are text and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from forensics.recovery import markdown
from forensics.report.tables import CLASSES, Document, Junction, method, of
from forensics.text import (
    count,
    counted,
    examples,
    fact,
    marked,
    moment,
    one_line,
    percent,
    prose,
    visible,
)

_PLAIN = re.compile(r"[A-Za-z0-9_.$ ]+\Z")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:@/=$^])")


def render(document: Document) -> str:
    """Return the report as Markdown (CommonMark with GitHub's tables)."""
    d = document
    parts = [
        f"# Incident report: {text(d.title)}",
        f"**{prose(d.verdict)}**",
        *_alarms(d),
        _table(
            ("", "rows"),
            [
                ("in the backup", count(d.totals["backup_rows"])),
                ("missing from live", count(d.totals["missing"])),
                ("of them links of junction tables", count(d.links_missing)),
                ("changed", count(d.totals["changed"])),
                ("unchanged", count(d.totals["unchanged"])),
                ("added to live since", count(d.totals["added"])),
                *(
                    (("values taken by dropped columns", count(d.values_missing)),)
                    if d.values_missing
                    else ()
                ),
            ],
        ),
        *_loss(d),
        *_findings(d),
        *_links(d),
        *_drift(d),
        *_intact(d),
        *_failed(d),
        *_notes(d),
        *_window(d),
        *_cause(d),
        *_recovery(d),
        *_provenance(d),
    ]
    for heading, sentences in method(d):
        parts += [f"## {heading}", _list(prose(s) for s in sentences)]
    parts.append("Written by the incident forensics kit from a case on disk.")
    return "\n\n".join(parts) + "\n"


def text(value: object) -> str:
    """A value as Markdown text: shown as it is, whatever it holds; never markup, HTML, a cell's end or a terminal's command."""
    said = visible(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", said)


def code(value: object) -> str:
    """A name as code where it is a plain one, and as text otherwise."""
    return f"`{value}`" if _PLAIN.match(str(value)) else text(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    rule = ["---" if i < left else "---:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {i}" for i in items)


def _alarms(d: Document) -> list[str]:
    said = []
    if d.failed:
        said.append(
            f"> **{counted(len(d.failed), 'table')} could not be compared.** Nothing in this report says that they are intact."
        )
    if d.damage:
        said.append(f"> **The backup is not whole:** {prose(d.damage)}.")
    if not d.complete and not said:
        said.append(
            "> **The comparison did not run to its end.** Tables that are not named here were not looked at."
        )
    said.append(
        "Values of rows are masked."
        if d.masked
        else "> **Not masked.** This report shows values of rows. Treat it like the database itself."
    )
    return said


def _loss(d: Document) -> list[str]:
    if not d.hit:
        return []
    rows = [
        (
            code(r.name),
            r.state,
            *(count(v) for v in (r.backup_rows, r.missing, r.changed, r.added)),
            percent(r.missing, r.backup_rows),
        )
        for r in d.hit
    ]
    return [
        "## Loss by table",
        _table(
            ("table", "state", "in backup", "missing", "changed", "added", "share missing"), rows, 2
        ),
    ]


def _findings(d: Document) -> list[str]:
    if not d.findings:
        return []
    return [
        "## What the counts do not say",
        _list(f"{kind}: {prose(said)}" for kind, said in d.findings),
    ]


def _links(d: Document) -> list[str]:
    if not d.junctions:
        return []
    names = CLASSES if d.classes else ()
    rows = [
        (
            code(j.name),
            ", ".join(code(p.name) for p in j.parents),
            count(j.result.missing),
            *(count(j.classes.get(c)) for c in names),
        )
        for j in d.junctions
    ]
    if d.classes:
        rows.append(
            ("**all**", "", count(d.classes["missing"]), *(count(d.classes[c]) for c in names))
        )
    parts = [
        "## Links that are missing",
        _table(("junction table", "links", "missing", *names), rows, 2),
    ]
    for j in d.junctions:
        parts += _worst(j)
    if d.survivors:
        moved = [(code(j.name), code(place), count(rows)) for j, place, rows in d.survivors]
        parts += ["### What survives elsewhere", _table(("from", "now in", "links"), moved, 2)]
    return parts


def _worst(j: Junction) -> list[str]:
    p = j.holder
    if p is None:
        return []
    names = ("name",) if p.labelled else ()
    rows = [
        (
            code(r.key),
            *((text(r.label or "–"),) if p.labelled else ()),
            count(r.had),
            count(r.missing),
        )
        for r in p.worst[:5]
    ]
    head = (text(", ".join(p.key)), *names, "had", "missing")
    return [
        f"Rows of {code(p.name)} that miss the most links of {code(j.name)}:",
        _table(head, rows, 1 + len(names)),
    ]


def _drift(d: Document) -> list[str]:
    if not d.changes:
        return []
    changed = [
        (
            code(f"{c.name}.{c.column}"),
            c.change,
            text(c.before or "–"),
            text(c.after or "–"),
            count(c.values_missing),
        )
        for c in d.drift
    ]
    parts = ["## Schema drift"]
    if changed:
        parts.append(
            _table(("column", "change", "in backup", "in live", "values missing"), changed, 4)
        )
    if d.added_columns:
        parts.append("Columns that only live has:")
        parts.append(
            _list(
                f"{code(t)}: {', '.join(code(c.column) for c in changes)}"
                for t, changes in d.added_columns.items()
            )
        )
    return parts


def _intact(d: Document) -> list[str]:
    parts = []
    if d.intact:
        rows = [(code(r.name), count(r.backup_rows), count(r.added)) for r in d.intact]
        parts += ["## Proven intact", _table(("table", "rows, all unchanged", "added since"), rows)]
    if d.new:
        parts += [
            "Tables that only live has:",
            _list(f"{code(r.name)}: {count(r.live_rows)} rows" for r in d.new),
        ]
    return parts


def _failed(d: Document) -> list[str]:
    if not d.failed:
        return []
    return [
        "## Not compared",
        _table(("table", "why"), [(code(r.name), text(r.reason)) for r in d.failed], 2),
    ]


def _notes(d: Document) -> list[str]:
    said = [f"{code(table)}: {prose(note)}" for table, note in d.noted]
    if d.unparsed:
        said.append(
            f"{counted(d.unparsed, 'statement')} of the backup’s schema could not be read and passed over."
        )
    return ["## Notes", _list(said)] if said else []


def _window(d: Document) -> list[str]:
    if len(d.moments) < 2:
        return []
    parts = ["## When", _list(f"{m.said}: {moment(m.at)}" for m in d.moments)]
    if d.window and d.window.get("unobservable"):
        rows = [
            (code(of(u)), count(u["low"]), count(u["likely"]), count(u["high"]), text(u["basis"]))
            for u in d.window["unobservable"]
        ]
        parts += [
            "Rows that were written after the backup and destroyed before anyone looked are in neither side; they are estimated:",
            _table(("table", "at least", "likely", "at most", "estimated from"), rows),
        ]
    return parts


def _cause(d: Document) -> list[str]:
    if not d.cause:
        return []
    parts = ["## Cause"]
    if d.struck:
        rows = [
            (
                code(s["migration"]),
                count(s["line"]),
                text(one_line(s["sql"])),
                text(s["hazard"]),
                code(of(s)),
                count(s["rows"]),
                count(s.get("changed")),
            )
            for s in d.struck
        ]
        parts.append(
            _table(
                ("migration", "line", "statement", "hazard", "of", "missing", "changed"), rows, 5
            )
        )
    if rest := [u for u in d.cause["unexplained"] if u["rows"]]:
        parts += [
            "No statement accounts for these missing rows:",
            _list(f"{code(of(u))}: {count(u['rows'])}" for u in rest),
        ]
    if notes := d.cause.get("notes"):
        parts.append(_list(prose(n) for n in notes))
    return parts


def _recovery(d: Document) -> list[str]:
    if not d.recovery:
        return []
    names = ("recovers", "destroys", "blocked", "verified", "seconds")
    rows = [
        (text(o["name"]), *(text(fact(o.get(n))) for n in names)) for o in d.recovery["options"]
    ]
    parts = ["## Recovery"]
    if d.recovery.get("recommendation"):
        parts.append(prose(d.recovery["recommendation"]))
    parts.append(_table(("option", *names), rows))
    parts.append(
        _list(
            f"**{text(o['name'])}**: {marked(' '.join(o['caveats']))} What the application needs: {marked(o['application'])}"
            for o in d.recovery["options"]
        )
    )
    destroyed = [
        (text(o["name"]), text(of(t)), text(examples(t["examples"])), count(t["rows"]))
        for o in d.recovery["options"]
        for t in sorted(o["destroyed"], key=lambda t: -t["rows"])
    ]
    if destroyed:
        parts += [
            "What they destroy:",
            _table(("option", "table", "for example", "rows"), destroyed, 3),
        ]
    if proofs := [(o["name"], o["proof"]) for o in d.recovery["options"] if o.get("proof")]:
        said = (
            f"**{text(name)}**: {prose(' '.join((*p['checks'], *p['notes'])))}"
            + (f" **It does not hold: {prose(' '.join(p['problems']))}**" if p["problems"] else "")
            for name, p in proofs
        )
        parts += [
            "Each option was carried out on a throw-away PostgreSQL, on copies of live and of the backup:",
            _list(said),
        ]
    if rehearsal := d.recovery.get("rehearsal"):
        parts += [
            "recovery.sql and undo.sql, in numbers:",
            _list(
                f"{n.replace('_', ' ')}: {text(fact(v))}"
                for n, v in rehearsal.items()
                if not isinstance(v, list | dict)
            ),
        ]
    if d.recovery.get("problem"):
        parts.append(f"> **The rehearsal failed:** {prose(d.recovery['problem'])}")
    if d.recovery.get("runbook"):
        parts.append("## Runbook")
    for step in d.recovery.get("runbook", ()):
        parts += [f"### {prose(step['title'])}", "\n".join(markdown(step["parts"])).rstrip("\n")]
    return parts


def _provenance(d: Document) -> list[str]:
    return [
        "## Provenance",
        _table(
            ("", "backup", "live"), [(f.name, text(f.backup), text(f.live)) for f in d.facts], 3
        ),
    ]
