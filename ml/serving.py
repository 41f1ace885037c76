"""The pricing that requests use: built beside the present one, swapped whole, in every process.

A thread asks the database for each market's revision a few times a second. Where one has risen it
builds the market's next pricing and swaps one reference; requests in flight keep what they began
with. What is scheduled is part of it already, so a strategy starts to the instant, whoever polls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlmodel import Session, col, select

from domain import activations, audit, catalogue, markets, models, tables
from domain.availability import UNAVAILABLE, absence
from domain.database import Database
from domain.errors import NotFound
from domain.matching import Matcher
from domain.pricing import documents
from domain.pricing.engine import PricingPolicy
from domain.snapshots import PricingSnapshot, ServedModel, ServedStrategy
from ml.artifact import ArtifactRefused
from ml.loading import loader
from ml.shelf import Shelf

log = structlog.get_logger(__name__)

MATCHER_REST = 10
"""After a matcher was built it is left alone for this many times as long as that took: an import
changes the catalogue with every chunk."""

STALE_AFTER_S = 30.0

START_PATIENCE_S = 30.0
START_PAUSE_S = 0.5
"""How long a process that starts waits for a database that is away, and between two attempts."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, half-open, in which the same strategies are in force."""

    starts_at: datetime
    strategy: ServedStrategy | None
    challenger: ServedStrategy | None


@dataclass(frozen=True, slots=True)
class MarketPricing:
    """Everything that prices one market, now and as scheduled."""

    revision: int
    catalogue_revision: int
    base: PricingSnapshot
    periods: tuple[Period, ...]
    built_at: datetime

    def at(self, moment: datetime) -> PricingSnapshot:
        """The snapshot in force at a moment."""
        in_force = None
        for period in self.periods:
            if period.starts_at > moment:
                break
            in_force = period
        if in_force is None:
            return self.base
        return replace(self.base, strategy=in_force.strategy, challenger=in_force.challenger)


class Serving:
    """The pricing of every market, kept fresh by one thread."""

    def __init__(
        self,
        database: Database,
        *,
        artifact_key: bytes,
        poll_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._models = Shelf(loader(database, artifact_key), size=16)
        self._policies = Shelf(self._load_policy, size=64)
        self._poll_s = poll_s
        self._clock = clock
        self._pricing: dict[str, MarketPricing] = {}
        self._matcher_rests_until: dict[str, float] = {}
        self._refused: set[int] = set()
        self._building = threading.Lock()
        self._stopped = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pricing-watch", daemon=True)
        self._listeners: list[Callable[[str], None]] = []
        self._refreshed_at = float("-inf")

    def start(self) -> None:
        """Build what there is and begin to watch.

        A database that is away for the moment is waited for: a process may start while it does.
        """
        give_up_at = time.monotonic() + START_PATIENCE_S
        while not self._refreshed(until=give_up_at):
            time.sleep(START_PAUSE_S)
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call ``listener`` with a market's code after each change; returns how to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def poke(self) -> None:
        """Look for changes at once: this process has just made one."""
        self._changed.set()

    def snapshot(self, market: str, *, at: datetime) -> PricingSnapshot:
        """What prices a market at a moment.

        Raises:
            NotFound: there is no such market, not even one made a moment ago.
        """
        pricing = self._pricing.get(market)
        if pricing is None:
            self.refresh()
            pricing = self._pricing.get(market)
        if pricing is None:
            with self._database.reading() as session:
                markets.by_code(session, market)
            raise NotFound(f"There is no market {market}.", path=("market",))
        return pricing.at(at)

    def is_fresh(self) -> bool:
        """Whether the revisions were read lately enough to believe that nothing is missed."""
        return self.unchecked_s() < STALE_AFTER_S

    def unchecked_s(self) -> float:
        """Seconds since the revisions were read last."""
        return time.monotonic() - self._refreshed_at

    def pricing(self) -> dict[str, MarketPricing]:
        """The pricing of every market by code, for health checks and metrics."""
        return dict(self._pricing)

    def model(self, model_id: int) -> ServedModel:
        """Any model version, rebuilt from what is stored.

        Raises:
            NotFound: there is none of this id.
            ArtifactRefused: its artifact is not what was published.
        """
        return self._models.get(model_id)

    def policy(self, version_id: int) -> PricingPolicy:
        """Any frozen strategy version, compiled.

        Raises:
            NotFound: there is none of this id.
        """
        return self._policies.get(version_id)

    def refresh(self) -> None:
        """Build anew what has changed in the database."""
        with self._building, self._database.reading() as session:
            for market in session.exec(select(tables.Market).order_by(col(tables.Market.id))):
                present = self._pricing.get(market.code)
                if present is None or self._is_stale(present, market):
                    self._pricing[market.code] = self._build(session, market, present)
                    self._tell(market.code)
            self._refreshed_at = time.monotonic()

    def _is_stale(self, present: MarketPricing, market: tables.Market) -> bool:
        if present.revision != market.revision:
            return True
        rested = time.monotonic() >= self._matcher_rests_until.get(market.code, 0)
        return present.catalogue_revision != market.catalogue_revision and rested

    def _build(
        self, session: Session, market: tables.Market, present: MarketPricing | None
    ) -> MarketPricing:
        same_catalogue = present and present.catalogue_revision == market.catalogue_revision
        matcher = present.base.matcher if present and same_catalogue else None
        base = PricingSnapshot(
            market_id=market.id,
            market_code=market.code,
            currency=market.currency,
            settings=markets.settings_of(market),
            matcher=matcher or self._matcher(session, market),
            model=self._champion(session, market),
            strategy=None,
            challenger=None,
        )
        log.info("pricing.swapped", market=market.code, revision=market.revision)
        return MarketPricing(
            revision=market.revision,
            catalogue_revision=market.catalogue_revision,
            base=base,
            periods=self._periods(session, market.id),
            built_at=self._clock(),
        )

    def _matcher(self, session: Session, market: tables.Market) -> Matcher:
        started = time.monotonic()
        matcher = Matcher(catalogue.entries(session, market.id))
        ended = time.monotonic()
        self._matcher_rests_until[market.code] = ended + MATCHER_REST * (ended - started)
        return matcher

    def _champion(self, session: Session, market: tables.Market) -> ServedModel | None:
        """The newest promoted version whose artifact is sound: the one before serves on."""
        for model_id in models.promoted_ids(session, market.id):
            try:
                model = self._models.get(model_id)
            except ArtifactRefused as refused:
                self._report_refused(model_id, refused.reason)
            else:
                self._refused.discard(model_id)
                return model
        return None

    def _report_refused(self, model_id: int, reason: str) -> None:
        log.error("model.artifact_refused", model=model_id, reason=reason)
        if model_id in self._refused:
            return
        self._refused.add(model_id)
        with self._database.unit_of_work() as session:
            audit.record(
                session,
                actor="forecourt",
                action="model.artifact_refused",
                subject=("ModelVersion", model_id),
                detail={"reason": reason},
                now=self._clock(),
            )

    def _periods(self, session: Session, market_id: int) -> tuple[Period, ...]:
        return tuple(
            Period(
                starts_at=each.starts_at,
                strategy=self._served(each.active),
                challenger=self._served(each.challenger),
            )
            for each in activations.timeline(session, market_id)
        )

    def _served(self, activation: tables.Activation | None) -> ServedStrategy | None:
        if activation is None:
            return None
        return ServedStrategy(
            activation_id=activation.id,
            version_id=activation.version_id,
            share=activation.share,
            policy=self.policy(activation.version_id),
        )

    def _load_policy(self, version_id: int) -> PricingPolicy:
        with self._database.reading() as session:
            version = session.get(tables.StrategyVersion, version_id)
            if version is None:
                raise NotFound("There is no such strategy version.")
            return PricingPolicy(documents.from_document(version.content))

    def _tell(self, market: str) -> None:
        for listener in list(self._listeners):
            listener(market)

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._changed.wait(self._poll_s)
            self._changed.clear()
            try:
                self._refreshed()
            except Exception:
                # What was served is served on.
                log.exception("pricing.refresh_failed")

    def _refreshed(self, *, until: float = float("inf")) -> bool:
        """Whether what has changed could be built; False where the database is away meanwhile."""
        try:
            self.refresh()
        except UNAVAILABLE as fault:
            why = absence(fault)
            if why is None or time.monotonic() > until:
                raise
            log.warning("pricing.refresh_failed", reason=why.message)
            return False
        return True
