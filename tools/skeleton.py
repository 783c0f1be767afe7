"""Lay what a hazard or a migration tool consists of, to be filled in; its tests fail until it is.

python -m tools.skeleton hazard drop-sequence
python -m tools.skeleton tool mytool
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.house import ROOT

_HAZARD = '''\
"""{code}: FILL IN the statement that does it."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code("{code}", destroys=False, fails=False, words="FILL IN what it does")


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, node=part.node)


# FILL IN: by kind of part, in libpg_query's words (see parts.py), what reads it.
READS: Reads = {{"FILL IN": _read}}
'''
_PAGE = """\
# {code}

FILL IN what it does, in a sentence.

## The problem

FILL IN what goes wrong, and why nobody notices.

## An example

```sql
FILL IN;
```

## The way out

FILL IN what to do in its place.

    FILL IN
"""
_HAZARD_CASE = """\
-- {code} p
FILL IN;
"""
_TOOL = '''\
"""{name}: FILL IN how its files lie, and what its history knows a migration by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, sha256, sql_files
from forensics.evidence.migrations.tool import Folder, HistoryTable, Tool


def files(folder: Path) -> Sequence[File] | None:
    """The files in the tool's order; None where the folder is another tool's."""
    if not (folder / "FILL IN").is_file():
        return None
    return [File(path.stem, path) for path in sql_files(folder)]


def entry(row: Row) -> HistoryEntry | None:
    """What a row of its history says; None where it stands for no migration."""
    return row.named("name", "applied_at")


TOOL = Tool(
    name="{name}",
    folder=Folder("{name}", files),
    history=HistoryTable("FILL IN", ("name", "applied_at"), entry),
    checksum=sha256,
)
'''
_HISTORY = """\
-- FILL IN: the history as the tool itself wrote it, after one migration ran.
CREATE TABLE {name}_history (name text PRIMARY KEY, applied_at timestamptz NOT NULL);
INSERT INTO {name}_history VALUES ('1_first', '2026-01-02 10:40:07Z');
"""


def hazard(root: Path, code: str) -> list[Path]:
    """Lay a hazard: its file, its place in the list, its page and its case."""
    name = code.replace("-", "_")
    room = root / "forensics" / "statements" / "hazards"
    pages = root / "docs" / "hazards"
    written = _write(
        {
            room / f"{name}.py": _HAZARD.format(code=code),
            pages / f"{code}.md": _PAGE.format(code=code),
            root / "tests" / "statements" / "hazards" / f"{code}.sql": _HAZARD_CASE.format(
                code=code
            ),
        }
    )
    listed = room / "known.py"
    text = listed.read_text(encoding="utf-8")
    imports, _, rest = text.partition(")\n")
    head, _, names = imports.partition("(\n")
    ordered = sorted([*names.splitlines(), f"    {name},"])
    rest = rest.replace("\n)\n", f"\n    {name},\n)\n", 1)
    listed.write_text(head + "(\n" + "\n".join(ordered) + "\n)\n" + rest, encoding="utf-8")
    with (pages / "README.md").open("a", encoding="utf-8") as page:
        page.write(f"| [{code}]({code}.md) |  |  | FILL IN what it does |\n")
    return [*written, listed, pages / "README.md"]


def tool(root: Path, name: str) -> list[Path]:
    """Lay a migration tool: its file, its place in the list, and its case."""
    room = root / "forensics" / "evidence" / "migrations" / "tools"
    case = root / "tests" / "cases" / "tools" / name
    expected = {
        "tool": name,
        "folder": {"kind": name, "migrations": ["1_first"]},
        "history": [{"name": "1_first", "checksum": None, "in_force": True, "ran": True}],
    }
    written = _write(
        {
            room / f"{name}.py": _TOOL.format(name=name),
            case / "history.sql": _HISTORY.format(name=name),
            case / "migrations" / "1_first.sql": "CREATE TABLE t (id int);\n",
            case / "expected.json": json.dumps(expected, indent=2) + "\n",
        }
    )
    listed = room / "__init__.py"
    text = listed.read_text(encoding="utf-8")
    text = text.replace('    "golang_migrate",\n', f'    "{name}",\n    "golang_migrate",\n', 1)
    listed.write_text(text, encoding="utf-8")
    return [*written, listed]


def _write(files: Mapping[Path, str]) -> list[Path]:
    for path in files:
        if path.exists():
            raise SystemExit(f"{path} is there already.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


_KINDS = {
    "hazard": (hazard, re.compile(r"[a-z]+(-[a-z]+)*"), "drop-sequence"),
    "tool": (tool, re.compile(r"[a-z][a-z0-9_]*"), "mytool"),
}


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Lay a skeleton and say where; 2 where the call's words are off."""
    if len(arguments) != 2 or arguments[0] not in _KINDS:
        print("Say what, and its name: make hazard NAME=drop-sequence, make tool NAME=mytool")
        return 2
    kind, name = arguments
    lay, shape, example = _KINDS[kind]
    if not shape.fullmatch(name):
        print(f"{name} is no name for a {kind}: write it like {example}.")
        return 2
    for path in lay(root, name):
        print(path.relative_to(root))
    print("Fill in what says FILL IN: its tests fail until then.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
