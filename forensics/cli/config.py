"""`config`: what is in force, and from where."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli import manual
from forensics.cli.voice import OK, Json, Quiet, app, safe, speaking
from forensics.config import NAME, VARIABLE, Config, configuration
from forensics.errors import redact

if TYPE_CHECKING:
    from rich.console import Console

    from forensics.cli.settings import Flag


@dataclass(frozen=True)
class _Setting:
    """One flag of one command: what holds, and who said so."""

    command: str
    flag: str
    value: Any
    source: str


@app.command("config", short_help="What is in force, and from where.", epilog=manual.CONFIG)
def config_command(
    every: Annotated[
        bool, typer.Option("--all", help="Also the flags of which nobody said anything.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show which flags a configuration file or the environment sets, and from where."""
    from forensics.cli import register
    from forensics.cli.settings import flags, in_force

    with speaking("config", as_json, quiet) as voice:
        register()
        config = configuration(Path.cwd())
        chosen = in_force(config)
        found = []
        for flag in flags():
            setting = _setting(flag, config, chosen)
            if every or setting.source != "default":
                found.append(setting)
        path = str(config.path) if config.path else None
        said = [{**vars(setting), "value": _plain(setting.value)} for setting in found]
        voice.answer(
            {"file": path, "settings": said}, lambda console: _show(console, config, found)
        )
    raise typer.Exit(OK)


def _setting(flag: Flag, config: Config, chosen: Mapping[str, Mapping[str, Any]]) -> _Setting:
    if flag.name == "live" and flag.everywhere and os.environ.get("LIVE_DSN"):
        return _Setting(flag.command, flag.name, redact(os.environ["LIVE_DSN"]), "LIVE_DSN")
    of = chosen.get(flag.command, {})
    if flag.parameter in of:
        return _Setting(flag.command, flag.name, of[flag.parameter], str(config.path))
    return _Setting(flag.command, flag.name, flag.default, "default")


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return value
    return str(getattr(value, "value", value))


def _show(console: Console, config: Config, found: list[_Setting]) -> None:
    if config.path:
        console.print(f"In force: {safe(config.path)}")
    else:
        none = f"No {NAME} and no [tool.forensics] here or above; {VARIABLE} names one."
        console.print(safe(none))
    for setting in found:
        value = _plain(setting.value)
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        console.print(
            f"  {setting.command:<10} --{setting.flag:<18} {safe(shown)}  ({safe(setting.source)})"
        )
