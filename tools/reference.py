"""Write docs/reference.md from the code: every command with its flags, every public name.

python -m tools.reference            write it
python -m tools.reference --check    return 1 where it is not what the code says
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer.main

import forensics
from forensics.cli import COMMANDS, register
from forensics.cli.voice import app
from tools.house import ROOT

PAGE = ROOT / "docs" / "reference.md"
_HEAD = """# Reference

Written from the code by `python -m tools.reference`; `make check` holds it to that. Exit statuses
and examples stand in each command's `--help`.

## Commands
"""


def page() -> str:
    """The page, as the code is now."""
    register()
    group = typer.main.get_command(app)
    lines = [_HEAD]
    for name in COMMANDS:
        lines += _command(name, group.commands[name])  # type: ignore[attr-defined]
    lines.append("## Python\n")
    lines.append("`import forensics as fx`. What these return shows itself in Jupyter.\n")
    for name in sorted(forensics.__all__, key=str.lower):
        lines += _public(name, getattr(forensics, name))
    return "\n".join(lines).rstrip() + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"### forensics {name}\n"
    yield f"{command.help}\n"
    yield "| | |\n| --- | --- |"
    for parameter in command.params:
        said = " ".join((parameter.help or "").split())
        yield f"| `{_spelled(parameter)}` | {_cell(said)} |"
    yield ""


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    words = ", ".join(parameter.opts)
    if parameter.is_flag or not parameter.metavar:
        return words
    return f"{words} {parameter.metavar}"


def _public(name: str, found: Any) -> Iterator[str]:
    yield f"### fx.{name}\n"
    said = inspect.getdoc(found) or ""
    head = said.partition("\n\n")[0]
    if inspect.isfunction(found):
        yield f"```python\n{name}{inspect.signature(found)}\n```\n"
        yield f"```text\n{said}\n```\n"
        return
    yield f"{head}\n"
    members = list(_members(found))
    if members:
        yield "| | |\n| --- | --- |"
        yield from members
        yield ""


def _members(found: Any) -> Iterator[str]:
    """The public methods and properties that a class defines itself."""
    for name, member in sorted(vars(found).items()):
        function = member.fget if isinstance(member, property) else member
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        said = (inspect.getdoc(function) or "").partition("\n")[0]
        call = "" if isinstance(member, property) else "()"
        yield f"| `.{name}{call}` | {_cell(said)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main(words: list[str]) -> int:
    """Write the page, or hold it against the code."""
    text = page()
    if "--check" not in words:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE} is not what the code says: python -m tools.reference")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
