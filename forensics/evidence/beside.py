"""Work done in threads: what mostly waits for a server, and what others need not wait for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

_Answer = TypeVar("_Answer")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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


def side_by_side(works: Sequence[Callable[[], _Answer]], threads: int, name: str) -> list[_Answer]:
    """Do several pieces of work, and return their answers in their order.

    Args:
        works: what is to be done, begun in this order.
        threads: how many at a time; one is this thread.
        name: of the threads.

    Raises:
        What the first of them raised, in their order. What was not begun by then is left.
    """
    if threads < 2 or len(works) < 2:
        return [work() for work in works]
    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        coming = [pool.submit(work) for work in works]
        wait(coming, return_when=FIRST_EXCEPTION)
        for one in coming:
            one.cancel()
    return [one.result() for one in coming if not one.cancelled()]
