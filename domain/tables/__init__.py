"""What is stored: one SQLModel class per table, without behaviour."""

from domain.tables.access import ApiKey, IdempotentResult, Role
from domain.tables.audit import AuditEvent, AuditHead
from domain.tables.catalogue import CatalogueEntry
from domain.tables.job import Job, JobKind, JobStatus
from domain.tables.listing import Listing
from domain.tables.market import Market
from domain.tables.model import ModelArtifact, ModelVersion, Promotion
from domain.tables.quote import Quote
from domain.tables.repricing import Repricing, RepricingPart
from domain.tables.sale import Client, Order, OrderStatus, Payment, PaymentType
from domain.tables.simulation import Simulation, SimulationResult
from domain.tables.stock import AskingPrice, PriceChange, Vehicle
from domain.tables.strategy import (
    Activation,
    StoredStatus,
    Strategy,
    StrategyReview,
    StrategyVersion,
    Verdict,
)
from domain.tables.trusted_document import TrustedDocument

__all__ = [
    "Activation",
    "ApiKey",
    "AskingPrice",
    "AuditEvent",
    "AuditHead",
    "CatalogueEntry",
    "Client",
    "IdempotentResult",
    "Job",
    "JobKind",
    "JobStatus",
    "Listing",
    "Market",
    "ModelArtifact",
    "ModelVersion",
    "Order",
    "OrderStatus",
    "Payment",
    "PaymentType",
    "PriceChange",
    "Promotion",
    "Quote",
    "Repricing",
    "RepricingPart",
    "Role",
    "Simulation",
    "SimulationResult",
    "StoredStatus",
    "Strategy",
    "StrategyReview",
    "StrategyVersion",
    "TrustedDocument",
    "Vehicle",
    "Verdict",
]
