"""Quotes: the price offered for a vehicle at one moment.

A quote is append-only. Asking again makes a new one, so every price that a buyer saw can be traced
to the model version and the strategy version that made it, and made again from what is stored.
"""

from domain.quotes.bulk import BulkPrice, BulkPricing
from domain.quotes.creation import (
    Batch,
    QuotedVehicle,
    ReviewReason,
    check_ready,
    prepare,
    reference_key,
    store,
)
from domain.quotes.pricing import (
    Replay,
    price,
    priced_vehicle,
    replay,
    replay_stored,
    stored_facts,
    verdicts,
)
from domain.quotes.requests import (
    QuoteFilter,
    QuoteRequest,
    listed,
    prepare_once,
    store_once,
)

__all__ = [
    "Batch",
    "BulkPrice",
    "BulkPricing",
    "QuoteFilter",
    "QuoteRequest",
    "QuotedVehicle",
    "Replay",
    "ReviewReason",
    "check_ready",
    "listed",
    "prepare",
    "prepare_once",
    "price",
    "priced_vehicle",
    "reference_key",
    "replay",
    "replay_stored",
    "store",
    "store_once",
    "stored_facts",
    "verdicts",
]
