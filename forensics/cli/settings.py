"""The flags that a configuration file sets: held against those that there are, then in force."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import typer.main

from forensics.cli.voice import app
from forensics.config import Config
from forensics.errors import UsageError
from forensics.text import near_matches

# What one run decides is said anew each time, and what would open or replace something as well.
_SAID_EACH_TIME = {
    "allow-files",
    "check",
    "force",
    "help",
    "include-unexplained",
    "into",
    "json",
    "out",
    "quiet",
    "resume",
    "rows",
    "to",
    "unmasked",
    "where",
}
_PASSWORD = re.compile(r"password\s*=|://[^/@\s]*:[^/@\s]+@", re.I)
_LIVE = "live"


@dataclass(frozen=True)
class Flag:
    """A flag of a command.

    Attributes:
        command: the command's name.
        name: the flag's, without its dashes.
        parameter: what the command's function calls it.
        repeatable: it takes a list.
        default: what holds where nobody says anything.
        everywhere: what is said for all commands holds for it.
    """

    command: str
    name: str
    parameter: str
    repeatable: bool
    default: Any
    everywhere: bool


def flags() -> list[Flag]:
    """Every flag that a configuration may set, of the commands that are registered."""
    found = []
    group = typer.main.get_command(app)
    for command, made in sorted(group.commands.items()):  # type: ignore[attr-defined]
        for parameter in made.params:
            name = _name(parameter)
            if name is None or name in _SAID_EACH_TIME:
                continue
            repeatable = bool(parameter.multiple) if hasattr(parameter, "multiple") else False
            # Where live is a flag, it asks for more than the command does without it.
            everywhere = name != _LIVE or parameter.param_type_name == "argument"
            found.append(
                Flag(command, name, parameter.name, repeatable, parameter.default, everywhere)
            )
    return found


def in_force(config: Config) -> dict[str, dict[str, Any]]:
    """Hold a configuration against the flags that there are.

    Returns:
        By command and parameter, what it sets.

    Raises:
        UsageError: it names no flag, or gives one what it does not take.
    """
    known = flags()
    commands = {flag.command for flag in known}
    found: dict[str, dict[str, Any]] = {}
    sections = {}
    for key, value in config.values.items():
        if key in commands and isinstance(value, Mapping):
            sections[key] = value
        else:
            _set(found, config, key, value, [flag for flag in known if flag.everywhere])
    for command, section in sections.items():
        of = [flag for flag in known if flag.command == command]
        for key, value in section.items():
            _set(found, config, key, value, of)
    return found


def _set(
    found: dict[str, dict[str, Any]], config: Config, key: str, value: Any, known: list[Flag]
) -> None:
    """Set a flag of every command that has it among these."""
    chosen = [flag for flag in known if flag.name == _flag(key)]
    if not chosen:
        raise _unknown(config, key, known)
    for flag in chosen:
        if flag.name == _LIVE and os.environ.get("LIVE_DSN"):
            continue  # the environment goes before the file
        found.setdefault(flag.command, {})[flag.parameter] = _taken(config, flag, value)


def _unknown(config: Config, name: str, known: list[Flag]) -> UsageError:
    if _flag(name) in _SAID_EACH_TIME:
        return UsageError(
            f"{config.path} sets {name}, which is said anew in each run.",
            f"Take the line out, and give --{_flag(name)} where you want it.",
        )
    names = sorted({flag.name for flag in known})
    return UsageError(
        f"{config.path} sets {name}, and there is no such flag.",
        near_matches(_flag(name), names, "See: forensics config"),
    )


def _taken(config: Config, flag: Flag, value: Any) -> Any:
    """A value as the command takes it."""
    if isinstance(value, str) and _PASSWORD.search(value):
        raise UsageError(
            f"{config.path} holds a password, in {flag.name}.",
            "Put it into ~/.pgpass, or name a service of pg_service.conf: live = 'service=NAME'.",
        )
    several = isinstance(value, list)
    if isinstance(value, Mapping) or (several and not flag.repeatable):
        raise UsageError(
            f"{config.path} gives {flag.name} what it does not take.",
            f"Write it as after --{flag.name}: one text, number, true or false.",
        )
    if flag.repeatable and not several:
        return [value]
    return value


def _flag(key: str) -> str:
    return key.replace("_", "-")


def _name(parameter: Any) -> str | None:
    """What a parameter is called after its dashes; of the arguments only LIVE can be set."""
    for spelling in parameter.opts:
        if spelling.startswith("--"):
            return str(spelling.removeprefix("--"))
    if parameter.name == _LIVE:
        return _LIVE
    return None
