"""Matching: from a vehicle as somebody described it to the catalogue entry that is meant.

Two steps. ``names`` finds brand and model in the text, ``specifications`` the entry of that model
whose fuel, gearbox, engine, version and years agree best. ``matcher`` joins them and decides
whether the best candidate is good enough and clearly ahead of the next model.
"""

from domain.matching.matcher import Matcher
from domain.matching.results import Candidate, Correction, MatchResult

__all__ = ["Candidate", "Correction", "MatchResult", "Matcher"]
