"""Logs: structured, one line an event, for people or for collectors."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

from api.settings import LogFormat, Settings
from domain import spans

if TYPE_CHECKING:
    from api.door import Outcome  # A job's process logs too, and serves no requests.

log = structlog.get_logger(__name__)

# Where a fault was, never what its variables held: a key or an address may be among them.
_tell_where = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def log_operation(outcome: Outcome) -> None:
    """One line an operation; what was asked for stays out of it, it may hold a client's address."""
    log.info(
        "graphql.operation",
        name=outcome.operation_name,
        type=outcome.operation_type,
        cost=outcome.cost,
        ms=round(1000 * outcome.seconds, 1),
        errors=list(outcome.error_codes),
    )


def set_up_logs(settings: Settings) -> None:
    """Send this program's and its libraries' logs to standard error, in the format that is set."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    is_json = settings.log_format is LogFormat.JSON
    last: list[structlog.typing.Processor] = (
        [_tell_where, structlog.processors.JSONRenderer()]
        if is_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    # Alembic tells each step of each start; what matters of it is the command's own answer.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _add_trace(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    event.update(spans.ids())
    return event
