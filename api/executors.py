"""Who does the parts of a large job: processes of this machine, or a Dask cluster.

Both are behind the standard library's ``Executor``. What is sent is the name of a function and
plain values; a worker of the cluster has Forecourt installed and opens the database, and models,
by settings of its own.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

from joblib import parallel_config

from api.orphans import watch_parent
from api.settings import Settings

Task = TypeVar("Task")

CONNECT_WITHIN_S = 20
TELL_EVERY_S = 0.5


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
    # Spawned: a fork would take along this process's connections and its threads' locks.
    with ProcessPoolExecutor(
        settings.job_processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_end_with,
        initargs=(os.getpid(),),
    ) as executor:
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


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
    watch_parent(parent, lambda: os._exit(1))
