"""Work that mostly waits for a server, done in a thread beside what is to be worked out here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Answer = TypeVar("_Answer")


def beside(work: Callable[[], _Answer], name: str) -> Future[_Answer]:
    """Begin work in a thread of its own, for which no process waits that ends before it.

    Args:
        work: what is to be done.
        name: of the thread.

    Returns:
        What its answer comes by, or what it raised. A Ctrl-C finds whoever waits for it.
    """
    coming: Future[_Answer] = Future()

    def run() -> None:
        try:
            found = work()
        except BaseException as error:  # handed to whoever waits
            coming.set_exception(error)
        else:
            coming.set_result(found)

    threading.Thread(target=run, name=name, daemon=True).start()
    return coming
