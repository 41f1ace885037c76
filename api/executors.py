"""Who does the parts of a large job: processes of this machine, or a Dask cluster.

Both are behind the standard library's ``Executor``. What is sent is the name of a function and
plain values; a worker of the cluster has Forecourt installed and opens the database, and models,
by settings of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_EXCEPTION,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from typing import Any, TypeVar

from joblib import parallel_config

from api.orphans import watch_parent
from api.settings import Settings
from domain.errors import InvalidState

Task = TypeVar("Task")
Result = TypeVar("Result")

CONNECT_WITHIN_S = 20
TELL_EVERY_S = 0.5

AHEAD_ON_CLUSTER = 32
"""Tasks of a stream that wait or are done at once: the cluster may grow while it goes on."""


def has_several(settings: Settings) -> bool:
    """Whether dividing a job makes it any faster."""
    return settings.dask_scheduler is not None or settings.job_processes > 1


@contextmanager
def opened(settings: Settings) -> Iterator[Executor]:
    """The executor that is set; what waits in it when the block ends is not begun.

    Raises:
        OSError: the cluster does not answer.
    """
    pool = _on_dask if settings.dask_scheduler else _on_this_machine
    with pool(settings) as executor:
        yield executor


def do_all(
    executor: Executor,
    function: Callable[[Task, Settings | None], object],
    tasks: Sequence[Task],
    settings: Settings,
    *,
    told: Callable[[], object],
) -> None:
    """Do every task, and raise what the first of them raises that fails.

    Args:
        function: at the top of a module, which the other process imports.
        told: called now and then while they are done.
    """
    # The cluster's workers have settings of their own; those of this machine have these.
    sent = None if settings.dask_scheduler else settings
    waiting: set[Future[Any]] = {executor.submit(function, task, sent) for task in tasks}
    while waiting:
        done, waiting = wait(waiting, timeout=TELL_EVERY_S, return_when=FIRST_EXCEPTION)
        for each in done:
            each.result()
        told()


def in_order(
    executor: Executor,
    function: Callable[[Task, Settings | None], Result],
    tasks: Iterable[Task],
    settings: Settings,
) -> Iterator[tuple[Task, Result]]:
    """Do a stream of tasks, of any length, a few of them at a time: each with its result, in order.

    Args:
        function: as in ``do_all``.

    Raises:
        InvalidState: who did a task was ended from outside.
    """
    sent = None if settings.dask_scheduler else settings
    ahead = AHEAD_ON_CLUSTER if settings.dask_scheduler else 2 * settings.job_processes
    waiting: deque[tuple[Task, Future[Result]]] = deque()
    for task in tasks:
        waiting.append((task, executor.submit(function, task, sent)))
        if len(waiting) > ahead:
            yield _first(waiting)
    while waiting:
        yield _first(waiting)


def _first(waiting: deque[tuple[Task, Future[Result]]]) -> tuple[Task, Result]:
    task, future = waiting.popleft()
    try:
        return task, future.result()
    except _losses() as lost:
        raise InvalidState(
            "A process that did a part of the work was ended from outside, perhaps for want of "
            "memory: run it again."
        ) from lost


def _losses() -> tuple[type[Exception], ...]:
    """What is raised for a task that nobody can do any more, here or on a cluster."""
    distributed: Any = sys.modules.get("distributed")
    on_dask = (distributed.KilledWorker,) if distributed is not None else ()
    return (BrokenExecutor, CancelledError, *on_dask)


@contextmanager
def fits(settings: Settings) -> Iterator[None]:
    """Where the fits of a training that do not need each other are done: here, or on the cluster.

    Fits alone: rows go out, fitted numbers come back; neither database nor keys are needed there.
    An algorithm of a plug-in has to be installed there as well.
    """
    if settings.dask_scheduler is None:
        yield
        return
    with parallel_config("dask", n_jobs=-1, scheduler_host=settings.dask_scheduler):
        yield


@contextmanager
def _on_this_machine(settings: Settings) -> Iterator[Executor]:
    others = multiprocessing.active_children()
    # Spawned: a fork would take along this process's connections and its threads' locks.
    with ProcessPoolExecutor(
        settings.job_processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_end_with,
        initargs=(os.getpid(),),
    ) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            # What they have begun is of no use any more, and may take long.
            for each in set(multiprocessing.active_children()).difference(others):
                each.terminate()
            raise


@contextmanager
def _on_dask(settings: Settings) -> Iterator[Executor]:
    from distributed import Client

    client_of: Any = Client  # It ships no types.
    with client_of(
        settings.dask_scheduler, timeout=CONNECT_WITHIN_S, set_as_default=False
    ) as client:
        # Not pure: two parts with equal arguments would be one, and a lost one is done again.
        executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            # What waits or runs on the cluster is given up; it has no `cancel_futures` of its own.
            executor.shutdown(wait=False)


def _end_with(parent: int) -> None:
    # Ctrl-C reaches every process of a terminal; the one that was started by hand answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch_parent(parent, lambda: os._exit(1))
