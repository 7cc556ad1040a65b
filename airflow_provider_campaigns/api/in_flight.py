"""Several requests under way at once, whose results come in the order in which they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def in_order(calls: Iterator[Callable[[], Result]], most: int) -> Iterator[Result]:
    """
    Yield what calls return, in their order, while the calls after them are under way.

    The calls themselves are made (their rows read, that is) in the caller's thread, and no more of them than are under
    way. With one at a time everything happens in the caller's thread, a step at a time.

    What goes wrong is raised in its turn, after the results before it, and once nothing is under way any more: then no
    call that was not under way by then is begun.

    :param calls: What to do.
    :param most: How many may be under way at once.
    """
    if most == 1:
        yield from (call() for call in calls)
        return
    under_way: deque[Future[Result]] = deque()
    flaw: Exception | None = None
    ended = False
    with ThreadPoolExecutor(most, thread_name_prefix="campaign-in-flight") as threads:
        while True:
            while not ended and len(under_way) < most:
                try:
                    under_way.append(threads.submit(next(calls)))
                except StopIteration:
                    ended = True
                except Exception as error:
                    ended, flaw = True, error
            if not under_way:
                break
            yield under_way.popleft().result()
    if flaw:
        raise flaw
