"""The operations with which GraphiQL opens; each works in the demo."""

from __future__ import annotations

import json

from api.door import Example

_VEHICLE = {
    "brand": "peugot",
    "model": "208",
    "version": "1.2 PureTech 100",
    "releaseYear": 2021,
    "fuel": "essence",
    "gearbox": "boîte manuelle",
    "mileageKm": 42000,
}

CREATE_QUOTE = """\
# A quote: what somebody typed about a car becomes a stored, explained price.
# Put a SALES key into the field above first; `forecourt demo` printed one.
mutation CreateQuote($input: CreateQuotesInput!) {
  createQuotes(input: $input) {
    quotes {
      id
      price { amount currency }
      marketPrice { amount }
      interval { low { amount } high { amount } coverage }
      match { score entry { brand model version fuel } corrections { field given understood } }
      steps { kind explanation before { amount } after { amount } }
      reviewReasons
    }
    userErrors { code message field }
  }
}
"""

PREDICT = """\
# What the model alone says, what moved it, and the listings that speak for it.
mutation Predict($input: PredictInput!) {
  predict(input: $input) {
    predictions {
      marketPrice { amount currency }
      interval { low { amount } high { amount } coverage }
      contributions { feature value effect { amount } }
      comparables(first: 3) { brand model version releaseYear mileageKm price { amount } }
      model { number algorithm metrics { mape coverage } }
    }
    userErrors { code message field }
  }
}
"""

MATCH = """\
# What a description is taken for, before anything is priced.
query Match($market: String!, $description: VehicleDescriptionInput!) {
  matchVehicle(market: $market, description: $description) {
    best { score entry { brand model version fuel gearbox } corrections { field given understood } }
    candidates { score entry { brand model version fuel } }
    problem { code message }
  }
}
"""

QUOTES = """\
# The latest quotes, each priced again from what is stored: identical, for ever.
query Quotes {
  quotes(first: 5) {
    totalCount
    edges {
      node {
        id
        price { amount currency }
        createdBy
        strategy { number strategy { name } }
        replay { price { amount } identical }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

STRATEGY = """\
# The strategy in force, and when it has been.
query ActiveStrategy {
  activeStrategy(market: "FR") {
    number
    status
    strategy { name }
    rules { key factor amount conditions { brands fuels } }
    activations { startsAt endsAt activatedBy share }
  }
}
"""

TRAIN = """\
# Train a model version (DATA_SCIENCE key), then follow it in the next tab.
mutation Train {
  train(input: { market: "FR", algorithm: "linear_regression" }) {
    run { id status progress }
    userErrors { code message field }
  }
}
"""

FOLLOW = """\
# Every change of the market's champion and strategy, as it happens.
subscription PricingChanged {
  pricingChanged(market: "FR") {
    championModel { number algorithm }
    activeStrategy { number strategy { name } }
  }
}
"""

_INPUT = json.dumps(
    {"input": {"market": "FR", "vehicles": [_VEHICLE]}}, indent=2, ensure_ascii=False
)
_DESCRIPTION = json.dumps(
    {"market": "FR", "description": _VEHICLE | {"brand": "VW", "model": "golf", "version": None}},
    indent=2,
    ensure_ascii=False,
)

EXAMPLES = (
    Example("Quote", CREATE_QUOTE, _INPUT),
    Example("Predict", PREDICT, _INPUT),
    Example("Match", MATCH, _DESCRIPTION),
    Example("Quotes", QUOTES),
    Example("Strategy", STRATEGY),
    Example("Train", TRAIN),
    Example("Follow", FOLLOW),
)
