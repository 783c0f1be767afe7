"""Measure the house, and hold it to what `LIMITS` promises: what no linter knows.

    python -m tools.house                      the whole library, held to the limits
    python -m tools.house forensics/loss       one room; what is over is listed with its place

Lines are counted without blank ones, docstrings included. A comprehension that stands within
another, or that has more than one `for`, is nested. A decision is an `if`, a loop, an `except`, a
`case`, a conditional expression, each further operand of `and` and `or`, and each `for` and `if` of
a comprehension. SQL files, templates, style sheets and scripts are held to the columns of a line,
and to nothing else.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "forensics"

LINE = 100
FILE, CLASS = 500, 300
DECISIONS = 12
LIMITS = {
    "characters a line, on average": 45.0,
    "lines over 100 columns": 0.0,
    "comprehensions per 1,000 lines": 25.0,
    "nested comprehensions": 0.0,
    "conditional expressions per 1,000 lines": 12.0,
    "functions of more than 12 decisions": 0.0,
    "files over 500 lines": 0.0,
    "classes over 300 lines": 0.0,
}
# What is measured in a folder: Python whole, the others by the columns of their lines.
KINDS = frozenset({".py", ".sql", ".html", ".css", ".js"})
# A file, a class or a function that has to be longer, and why.
LONGER: dict[str, str] = {}

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DECISIONS = (ast.If, ast.For, ast.While, ast.ExceptHandler, ast.IfExp, ast.match_case)


@dataclass
class Measured:
    """What was counted in some files, and the places that are over a limit."""

    lines: int = 0
    characters: int = 0
    comprehensions: int = 0
    conditionals: int = 0
    wide: list[str] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, float]:
        """By limit, what was measured."""
        thousands = max(self.lines, 1) / 1000
        return {
            "characters a line, on average": self.characters / max(self.lines, 1),
            "lines over 100 columns": len(self.wide),
            "comprehensions per 1,000 lines": self.comprehensions / thousands,
            "nested comprehensions": len(self.nested),
            "conditional expressions per 1,000 lines": self.conditionals / thousands,
            "functions of more than 12 decisions": len(self.functions),
            "files over 500 lines": len(self.files),
            "classes over 300 lines": len(self.classes),
        }

    @property
    def places(self) -> Iterator[str]:
        """Every place that is over a limit by itself."""
        for what in ("wide", "nested", "functions", "files", "classes"):
            for place in getattr(self, what):
                yield f"{what:9} {place}"

    def read(self, path: Path) -> None:
        """Count one file."""
        name = path.resolve().relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        self.wide += too_wide(name, lines)
        if path.suffix != ".py":
            return
        for line in lines:
            if line.strip():
                self.lines += 1
                self.characters += len(line)
        if len(lines) > FILE and name not in LONGER:
            self.files.append(f"{name} {len(lines)}")
        self._visit(ast.parse(text), name, within=False)

    def _visit(self, node: ast.AST, name: str, *, within: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inner = within
            if isinstance(child, _COMPREHENSIONS):
                inner = True
                self.comprehensions += 1
                if within or len(child.generators) > 1:
                    self.nested.append(f"{name}:{child.lineno}")
            elif isinstance(child, ast.IfExp):
                self.conditionals += 1
            elif isinstance(child, ast.ClassDef):
                self._class(child, name)
            elif isinstance(child, _FUNCTIONS):
                self._function(child, name)
            self._visit(child, name, within=inner)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> None:
        number = decisions(node)
        if number > DECISIONS and f"{name}:{node.name}" not in LONGER:
            self.functions.append(f"{name}:{node.lineno} {node.name} {number}")

    def _class(self, node: ast.ClassDef, name: str) -> None:
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > CLASS and f"{name}:{node.name}" not in LONGER:
            self.classes.append(f"{name}:{node.lineno} {node.name} {length}")


def too_wide(name: str, lines: list[str]) -> Iterator[str]:
    """Yield the place of each line that has too many columns."""
    for number, line in enumerate(lines, 1):
        if len(line) > LINE:
            yield f"{name}:{number}"


def decisions(node: ast.AST) -> int:
    """Count the decisions in a function, without those of functions and classes within it."""
    number = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            continue
        if isinstance(child, _DECISIONS):
            number += 1
        elif isinstance(child, ast.BoolOp):
            number += len(child.values) - 1
        elif isinstance(child, ast.comprehension):
            number += 1 + len(child.ifs)
        number += decisions(child)
    return number


def measure(*places: Path) -> Measured:
    """Measure every file of one of `KINDS` in some folders, and some files."""
    found = Measured()
    for place in places:
        paths = [place]
        if place.is_dir():
            paths = sorted(path for path in place.rglob("*") if path.suffix in KINDS)
        for path in paths:
            found.read(path)
    return found


def main(places: list[str]) -> int:
    """Print what is measured beside its limit; return 1 where something is over one."""
    found = measure(*map(Path, places or [str(LIBRARY)]))
    over = False
    for name, value in found.figures.items():
        above = bool(value > LIMITS[name])
        over = over or above
        mark = "OVER" if above else "ok"
        print(f"{mark:4}  {name:42} {value:8.1f}  (at most {LIMITS[name]:g})")
    for place in found.places:
        print(f"      {place}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
