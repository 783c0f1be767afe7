"""What was given, taken as it is where nothing has to be looked at.

Typer makes a validator of Pydantic for each parameter of a command before it runs: a tenth of a
second, for texts that stay what they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def take_as_given(group: Any) -> None:
    """Have a group's commands look only at what needs it.

    Args:
        group: as Typer makes it.
    """
    for command in (group, *group.commands.values()):
        for parameter in command.get_params(command.context_class(command)):  # --help, too
            _spare(parameter)


def _spare(parameter: Any) -> None:
    try:
        described, thorough = parameter.type_descriptor, parameter.get_runtime_param
        taken = _Taken(described.annotation, described.parameter_info, thorough)
    except AttributeError:  # a Typer that does it in another way
        return
    parameter.get_runtime_param = lambda: taken


class _Taken:
    """In place of Typer's validator.

    Args:
        annotation: what the command's function takes.
        info: what else is asked of it.
        thorough: makes the validator.
    """

    def __init__(self, annotation: Any, info: Any, thorough: Callable[[], Any]) -> None:
        self._annotation, self._thorough = annotation, thorough
        self._is_text = info.parser is None and annotation in (str, list[str])
        self._is_path = annotation is Path and not (
            info.exists or info.writable or info.resolve_path or info.allow_dash
        )
        self._is_path = self._is_path and info.file_okay and info.dir_okay

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """What a command is handed for a value."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        if several:
            if self._is_text and _are_texts(value):
                return list(value)
        elif self._is_plain(value) or self._is_default(value, param, ctx):
            return value
        elif self._is_path and isinstance(value, str) and _can_be_read(value):
            return Path(value)
        return self._thorough().coerce(value, param=param, ctx=ctx)

    def _is_plain(self, value: Any) -> bool:
        return self._is_text and isinstance(value, str)

    def _is_default(self, value: Any, param: Any, ctx: Any) -> bool:
        """Whether a value is the command's own, and of its type."""
        if not isinstance(self._annotation, type) or not isinstance(value, self._annotation):
            return False
        source = ctx.get_parameter_source(param.name)
        return source is not None and source.name == "DEFAULT"


def _are_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)


def _can_be_read(path: str) -> bool:
    return not os.path.exists(path) or os.access(path, os.R_OK)
