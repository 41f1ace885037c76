"""GraphQL over HTTP, server-sent events and WebSocket, in front of a Strawberry schema.

Strawberry makes the schema and graphql-core executes; what stands between them and a stranger's
bytes is here: the form of requests and answers, limits, prices, points and codes.

    door            which request it is, who sends it
    requests        bytes -> document, variables, name         negotiation, answers, refused
    persisted       documents that their hash stands for; which ones are trusted
    documents       parsed, surveyed, validated, kept          analysis (depth, aliases, cost)
    points          what callers may spend in a minute             counters (memory or Redis)
    engine          pays, runs, masks                          presence (is the client still there)
    events, socket  subscriptions
    graphiql        the page for a browser
"""

from api.door.counters import Counters
from api.door.door import Door
from api.door.engine import Arrival
from api.door.graphiql import Example
from api.door.observer import Observer, Outcome
from api.door.persisted import Persisted
from api.door.points import Points, Standing
from api.door.refused import Refused, refused
from api.limits import Limits

__all__ = [
    "Arrival",
    "Counters",
    "Door",
    "Example",
    "Limits",
    "Observer",
    "Outcome",
    "Persisted",
    "Points",
    "Refused",
    "Standing",
    "refused",
]
