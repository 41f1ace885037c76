"""The figures of all processes of one server, summed by Prometheus' own means.

Each process writes its figures into files of its own, mapped into memory, and whichever process is
asked adds them up. What a process counted stays counted when it is gone; its gauges go with it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from api.settings import metrics_shared, shared_metrics_folder

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it

PREFIX = "forecourt-metrics-"

_GAUGES = re.compile(r"gauge_live\w+_(\d+)\.db")


@contextmanager
def sharing() -> Iterator[None]:
    """Have the processes that are started inside share their figures; nothing of them is kept.

    In memory where the system offers that: a full disk must not end whoever counts.
    """
    beside = IN_MEMORY if _is_writable(IN_MEMORY) else Path(tempfile.gettempdir())
    _sweep(beside)
    with (
        tempfile.TemporaryDirectory(
            prefix=f"{PREFIX}{os.getpid()}-", dir=beside, ignore_cleanup_errors=True
        ) as folder,
        metrics_shared(Path(folder)),
    ):
        yield


class Processes(Collector):
    """What all processes of this server have counted, where several share; else this one alone."""

    def __init__(self, own: CollectorRegistry) -> None:
        self._own = own

    def collect(self) -> Iterable[Metric]:
        """The figures, those of the operating system about each process included."""
        folder = shared_metrics_folder()
        if folder is None:
            yield from self._own.collect()
            yield from ProcessCollector(registry=None).collect()
            return
        living = _forget_the_dead(folder)
        yield from MultiProcessCollector(None, path=str(folder)).collect()  # type: ignore[no-untyped-call]
        yield from _of_each(living)


def _of_each(living: Iterable[int]) -> Iterable[Metric]:
    """Memory, processor time and files of each process, told apart by a label."""
    together: dict[str, Metric] = {}
    for pid in living:
        # The library asks for the id each time, since a process may fork; this one stays.
        for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            known = together.setdefault(
                metric.name, Metric(metric.name, metric.documentation, metric.type)
            )
            for sample in metric.samples:
                known.add_sample(sample.name, {"pid": str(pid)}, sample.value)
    return together.values()


def _forget_the_dead(folder: Path) -> list[int]:
    """The living processes that share the folder; the gauges of the others are taken away."""
    pids = {int(found[1]) for each in folder.iterdir() if (found := _GAUGES.fullmatch(each.name))}
    living = [pid for pid in sorted(pids) if Path(f"/proc/{pid}").exists()]
    for pid in pids.difference(living):
        with suppress(FileNotFoundError):  # Another process is just doing the same.
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
    return living


def _sweep(beside: Path) -> None:
    """Remove what servers have left behind that were killed."""
    for folder in beside.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _is_writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
