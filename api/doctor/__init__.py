"""Examines an installation and says what to mend; changes nothing.

machine     settings, data directory, secret
database    reachable, version, room for our connections, clock, migrated, whole
contents    models, strategies, queue, audit trail, keys
services    Redis, Dask, traces
"""

from collections.abc import Iterator

from api.doctor import contents, database, machine, services
from api.doctor.findings import Finding, Verdict
from api.settings import Settings

__all__ = ["Finding", "Verdict", "examine"]


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything that was looked at, one finding each, in the order of what depends on what."""
    yield from machine.findings(settings)
    with database.opened(settings) as (found, opened):
        yield from found
        if opened is not None:
            yield from contents.findings(settings, opened)
    yield from services.findings(settings)
