"""What the database tells operators: the queue, the markets, how their models do.

Read when it is asked for, at most once in a while, by one thread that may hang where the database
does: whoever asks waits a moment and then gets what was read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.lately import Lately
from domain import markets
from domain.database import Database, current_time
from domain.queues import Queue, queues
from domain.tables import JobKind, JobStatus
from ml import health
from ml.health import Health
from ml.serving import Serving

QUEUE_EVERY_S = 5.0
MODELS_EVERY_S = 300.0
"""The health of a model is computed from thousands of rows."""
PATIENCE_S = 2.0

PREFIX = "forecourt_"
ONE = ("market",)


@dataclass(frozen=True, slots=True)
class Standing:
    """The queue, and the revision of each market, at one moment."""

    at: datetime
    queue: tuple[Queue, ...]
    revisions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Champion:
    """The model that prices a market, and how it does."""

    market: str
    promised_coverage: float
    health: Health


class State(Collector):
    """The figures that come from the database."""

    def __init__(
        self, database: Database, serving: Serving, *, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._serving = serving
        self._clock = clock
        self._standing = Lately(self._read_standing, every_s=QUEUE_EVERY_S)
        self._champions = Lately(self._read_champions, every_s=MODELS_EVERY_S)

    def collect(self) -> Iterable[Metric]:
        """The figures as read last; those that were never read are left out."""
        standing, is_up = self._standing.value(within_s=PATIENCE_S)
        yield _gauge("database_up", "Whether the database answers.", [({}, is_up)])
        if standing is not None:
            yield from _queue(standing.queue)
            yield _by_market(
                "market_revision", "Revision of each market in the database.", standing.revisions
            )
        yield from self._priced()
        if is_up:
            champions, _ = self._champions.value(within_s=PATIENCE_S)
            yield from _models(champions or ())

    def _priced(self) -> Iterable[Metric]:
        now = self._clock()
        priced = {code: each.at(now) for code, each in self._serving.pricing().items()}
        yield _by_market(
            "market_has_champion",
            "Whether a model prices the market.",
            {code: each.model is not None for code, each in priced.items()},
        )
        yield _by_market(
            "market_has_strategy",
            "Whether a strategy is in force in the market.",
            {code: each.strategy is not None for code, each in priced.items()},
        )

    def _read_standing(self) -> Standing:
        with self._database.reading() as session:
            now = current_time(session)
            return Standing(
                at=now,
                queue=tuple(queues(session, now=now)),
                revisions={each.code: each.revision for each in markets.all_markets(session)},
            )

    def _read_champions(self) -> tuple[Champion, ...]:
        served = {
            code: each.base.model
            for code, each in self._serving.pricing().items()
            if each.base.model is not None
        }
        with self._database.reading() as session:
            found = health.health_of(
                session,
                [model.id for model in served.values()],
                model_of=self._serving.model,
            )
        return tuple(
            Champion(code, model.estimator.coverage, found[model.id])
            for code, model in served.items()
        )


def _queue(queue: Sequence[Queue]) -> Iterable[Metric]:
    counts = {(each.kind, each.status): each.jobs for each in queue}
    yield _gauge(
        "jobs",
        "Jobs of each kind in each state.",
        [
            ({"kind": kind, "status": status}, counts.get((kind, status), 0))
            for kind in JobKind
            for status in JobStatus
        ],
    )
    yield _gauge(
        "job_oldest_seconds",
        "How long the oldest job of its kind has been waiting, or running.",
        [
            ({"kind": each.kind, "status": each.status}, each.oldest.total_seconds())
            for each in queue
            if each.oldest is not None
        ],
    )


def _models(champions: Iterable[Champion]) -> Iterable[Metric]:
    coverage, realised, error, orders, drift = (
        GaugeMetricFamily(f"{PREFIX}{name}", about, labels=labels)
        for name, about, labels in (
            ("model_promised_coverage", "Share of prices the intervals promise to hold.", ONE),
            ("model_realised_coverage", "Share of prices paid that they held.", ONE),
            ("model_realised_error", "Mean absolute share by which prices paid differed.", ONE),
            ("model_orders", "Orders on which that was measured.", ONE),
            ("model_drift_psi", "Population stability index of a feature.", ("market", "feature")),
        )
    )
    for each in champions:
        market = [each.market]
        coverage.add_metric(market, each.promised_coverage)
        orders.add_metric(market, each.health.orders)
        if each.health.realised_coverage is not None:
            realised.add_metric(market, each.health.realised_coverage)
        if each.health.realised_mape is not None:
            error.add_metric(market, each.health.realised_mape)
        for feature, index in each.health.drift.items():
            drift.add_metric([each.market, feature], index)
    yield from (coverage, realised, error, orders, drift)


def _by_market(name: str, about: str, values: Mapping[str, float]) -> Metric:
    return _gauge(name, about, [({"market": code}, value) for code, value in values.items()])


def _gauge(name: str, about: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    gauge = Metric(f"{PREFIX}{name}", about, "gauge")
    for labels, value in samples:
        gauge.add_sample(gauge.name, dict(labels), float(value))
    return gauge
