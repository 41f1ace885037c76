"""A sample market to begin with: cars as French buyers know them, made from a seed.

Names, engines, years of production and list prices are those of the real market, in round figures;
every single listing is invented. ``generations.csv`` and ``engines.csv`` hold the facts and can be
corrected with a spreadsheet.
"""

from domain.sample.market import listings, stock
from domain.sample.sales import sales

__all__ = ["listings", "sales", "stock"]
