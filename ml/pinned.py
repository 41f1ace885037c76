"""A pricing snapshot by the names of its parts, to be built again in another process.

The same versions price there, whatever was promoted or activated meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from domain import catalogue, tables
from domain.errors import Conflict
from domain.markets import MarketSettings
from domain.matching import Matcher
from domain.pricing import documents
from domain.pricing.engine import PricingPolicy
from domain.snapshots import PricingSnapshot, ServedStrategy
from ml.loading import load_model


@dataclass(frozen=True, slots=True)
class PinnedStrategy:
    """What names a strategy version in force."""

    activation_id: int
    version_id: int
    share: float


@dataclass(frozen=True, slots=True)
class PinnedPricing:
    """What names one market at one moment."""

    market_id: int
    market_code: str
    currency: str
    settings: MarketSettings
    catalogue_revision: int
    model_id: int
    strategy: PinnedStrategy
    challenger: PinnedStrategy | None


def pinned(pricing: PricingSnapshot, *, catalogue_revision: int) -> PinnedPricing:
    """The names of a snapshot's parts.

    Raises:
        NoChampionModel, NoActiveStrategy: it has none.
    """
    return PinnedPricing(
        market_id=pricing.market_id,
        market_code=pricing.market_code,
        currency=pricing.currency,
        settings=pricing.settings,
        catalogue_revision=catalogue_revision,
        model_id=pricing.champion_model().id,
        strategy=_pinned(pricing.active_strategy()),
        challenger=_pinned(pricing.challenger) if pricing.challenger else None,
    )


def rebuilt(session: Session, wanted: PinnedPricing, *, artifact_key: bytes) -> PricingSnapshot:
    """The snapshot that was pinned.

    Raises:
        Conflict: the catalogue, which keeps no history, has changed since.
        ArtifactRefused: the model is not what was published, or the signing key is another.
    """
    entries = catalogue.entries(session, wanted.market_id)
    # Read after the entries, so that no change of theirs goes unnoticed.
    market = session.get_one(tables.Market, wanted.market_id)
    if market.catalogue_revision != wanted.catalogue_revision:
        raise Conflict(
            f"An import has changed the catalogue of {wanted.market_code} meanwhile: run it again."
        )
    return PricingSnapshot(
        market_id=wanted.market_id,
        market_code=wanted.market_code,
        currency=wanted.currency,
        settings=wanted.settings,
        matcher=Matcher(entries),
        model=load_model(session, wanted.model_id, artifact_key=artifact_key),
        strategy=_served(session, wanted.strategy),
        challenger=_served(session, wanted.challenger) if wanted.challenger else None,
    )


def _pinned(strategy: ServedStrategy) -> PinnedStrategy:
    return PinnedStrategy(strategy.activation_id, strategy.version_id, strategy.share)


def _served(session: Session, wanted: PinnedStrategy) -> ServedStrategy:
    version = session.get_one(tables.StrategyVersion, wanted.version_id)
    return ServedStrategy(
        activation_id=wanted.activation_id,
        version_id=wanted.version_id,
        share=wanted.share,
        policy=PricingPolicy(documents.from_document(version.content)),
    )
