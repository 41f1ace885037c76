"""Simulations: what a strategy version would do to the stock, before anybody approves it.

A simulation is bound to the hash of the content that it priced. It keeps each vehicle's inputs and
prices, so groups, movers and steps can be told of it for ever, whatever has changed since.
"""

from domain.simulations.reading import (
    DEFAULT_MOVERS,
    MAX_MOVERS,
    Facts,
    Mover,
    facts_of,
    groups,
    movers,
    newest_succeeded,
    newest_succeeded_of,
    of_jobs,
)
from domain.simulations.requests import request
from domain.simulations.results import GroupRow, SimulationGroup, Summary
from domain.simulations.running import Outcome, publish, simulate

__all__ = [
    "DEFAULT_MOVERS",
    "MAX_MOVERS",
    "Facts",
    "GroupRow",
    "Mover",
    "Outcome",
    "SimulationGroup",
    "Summary",
    "facts_of",
    "groups",
    "movers",
    "newest_succeeded",
    "newest_succeeded_of",
    "of_jobs",
    "publish",
    "request",
    "simulate",
]
