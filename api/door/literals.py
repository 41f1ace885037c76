"""Values written into a document, held against the limits that those in variables have.

Validation repeats a value in each fault that it finds there, so that an object of two thousand
unknown fields would take it seconds and make an answer of megabytes.
"""

from __future__ import annotations

from typing import Final

from graphql import DocumentNode, ListValueNode, Node, ObjectValueNode

from api.door.refused import over
from api.limits import Limits

MAX_OBJECT_FIELDS: Final = 100
"""No input of the schema has half as many."""


def check_literals(document: DocumentNode, limits: Limits) -> None:
    """Look at every value of a document once.

    Raises:
        Refused: a list or an object is larger than allowed.
    """
    nodes: list[Node] = [document]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ObjectValueNode) and len(node.fields) > MAX_OBJECT_FIELDS:
            fields = len(node.fields)
            raise over("TOO_MANY_FIELDS", "Fields of one object", fields, MAX_OBJECT_FIELDS)
        if isinstance(node, ListValueNode) and len(node.values) > limits.list_items:
            raise over("LIST_TOO_LONG", "Items of one list", len(node.values), limits.list_items)
        for key in node.keys:
            below = getattr(node, key, None)
            if isinstance(below, Node):
                nodes.append(below)
            elif isinstance(below, tuple | list):
                nodes.extend(each for each in below if isinstance(each, Node))
