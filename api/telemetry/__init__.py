"""What operators see of a running installation.

    logs          one line an event, with the request's id and its trace's
    traces        spans, sent to a collector by OpenTelemetry's own variables
    measures      what this process counts and times as it works
    processes     the figures of all processes of one server, summed
    state         what the database tells: queue, markets, models
    exposition    all figures in Prometheus' format, at /metrics
    observer      where requests and operations are seen by all of them

A job's process needs logs and traces only, so the rest is imported by whoever serves.
"""

from api.telemetry.logs import log_operation, set_up_logs

__all__ = ["log_operation", "set_up_logs"]
