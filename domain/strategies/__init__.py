"""Strategies: lines of commercial policy, and how their versions are written and approved.

A draft is edited until it is submitted; from then on its content is frozen, and the review binds to
the hash of that content. What becomes of an approved version is ``domain.activations``'s to say.
"""

from domain.strategies.lifecycle import (
    approve,
    create,
    draft,
    edit,
    reject,
    submit,
    withdraw,
)
from domain.strategies.reading import (
    StrategyFilter,
    StrategyStatus,
    activations_of,
    analysis,
    changes_since,
    find_version,
    get,
    get_version,
    known_names,
    listed,
    of_markets,
    reviews_of,
    status,
    stock_cells,
    versions_of,
)
from domain.strategies.requests import active_version, create_once, roll_back

__all__ = [
    "StrategyFilter",
    "StrategyStatus",
    "activations_of",
    "active_version",
    "analysis",
    "approve",
    "changes_since",
    "create",
    "create_once",
    "draft",
    "edit",
    "find_version",
    "get",
    "get_version",
    "known_names",
    "listed",
    "of_markets",
    "reject",
    "reviews_of",
    "roll_back",
    "status",
    "stock_cells",
    "submit",
    "versions_of",
    "withdraw",
]
