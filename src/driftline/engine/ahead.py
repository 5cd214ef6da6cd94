"""Work on the next items while the one before is looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


def ahead(work: Callable[[T], U], items: Iterable[T], *, workers: int) -> Iterator[U]:
    """What ``work`` makes of each item, in their order; up to ``workers`` of them are made at a time, each in a thread.

    Items are taken in the caller's thread, and none before there is somebody to work on it.

    >>> list(ahead(lambda number: number * number, range(5), workers=2))
    [0, 1, 4, 9, 16]
    """
    with ThreadPoolExecutor(workers) as executor:
        waiting: deque[Future[U]] = deque()
        try:
            for item in items:
                waiting.append(executor.submit(work, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
