"""Documents, parsed, surveyed and validated once, and kept while they are in use.

Only what does not depend on variables or on the caller is kept, and in bounded memory: the least
recently used goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
    recommended_rules,
    specified_rules,
    validate,
)
from graphql.utilities import value_from_ast_untyped
from graphql.validation.rules import overlapping_fields_can_be_merged

from api.door.analysis import Survey, survey_document
from api.door.literals import check_literals
from api.door.refused import Refused, faulty_document, over, refused
from api.limits import Limits

RULES = (*specified_rules, *recommended_rules)

MAX_ERRORS = 20
MAX_ERRORS_OF_LARGE = 3
"""Told of one document: each repeats the value that is at fault, which takes time to write."""
LARGE_CHARACTERS = 4_000

# Comparing fields that repeat is the one part of validation that is not linear. The library's
# budget for it lets 4 kB of text block for half a second; this one, for a tenth of that. It is
# read from the module, as its documentation has it.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a valid document, ready to run."""

    document: DocumentNode
    name: str | None
    type: OperationType
    survey: Survey
    defaults: Mapping[str, Any]

    def price(self, variables: Mapping[str, Any]) -> int:
        """Its points with these variables; an empty operation still costs one."""
        return max(self.survey.once.value({**self.defaults, **variables}), 1)


Document = Mapping[str | None, Operation]


class Documents:
    """Reads documents against one schema."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self.schema = schema
        self.limits = limits
        self._kept: OrderedDict[str, Document | Refused] = OrderedDict()
        self._characters = 0

    def operation(self, text: str, name: str | None) -> Operation:
        """The operation that a request means.

        Raises:
            Refused: the document is at fault or too large, or the name does not tell which one.
        """
        document = self.read(text)
        if name is None and len(document) == 1:
            return next(iter(document.values()))
        if name is None:
            raise refused(
                400,
                "OPERATION_RESOLUTION_FAILURE",
                "The document has several operations: say which with `operationName`.",
            )
        if name not in document:
            raise refused(
                400, "OPERATION_RESOLUTION_FAILURE", f"The document has no operation {name!r}."
            )
        return document[name]

    def read(self, text: str) -> Document:
        """The operations of a document by their names.

        Raises:
            Refused: it is at fault, or larger than allowed.
        """
        if (kept := self._kept.get(text)) is None:
            kept = self._first_read(text)
            self._keep(text, kept)
        else:
            self._kept.move_to_end(text)
        if isinstance(kept, Refused):
            raise kept.with_traceback(None)
        return kept

    def _first_read(self, text: str) -> Document | Refused:
        try:
            return self._checked(text)
        except RecursionError:
            return refused(400, "TOO_DEEP", "The document nests too deeply to be read.")
        except Refused as refusal:
            # Kept for the next request; what happened in this one need not be.
            return refusal.with_traceback(None)

    def _checked(self, text: str) -> Document:
        document = self._parsed(text)
        check_literals(document, self.limits)
        surveys = survey_document(document, self.schema, self.limits)
        most = MAX_ERRORS if len(text) <= LARGE_CHARACTERS else MAX_ERRORS_OF_LARGE
        if errors := validate(self.schema, document, RULES, max_errors=most):
            raise faulty_document("GRAPHQL_VALIDATION_FAILED", errors)
        operations = {}
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                name = node.name.value if node.name else None
                operations[name] = Operation(
                    document, name, node.operation, surveys[name], _defaults(node)
                )
        if not operations:
            raise refused(
                400, "OPERATION_RESOLUTION_FAILURE", "The document has no operation to run."
            )
        return operations

    def _parsed(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self.limits.tokens)
        except GraphQLSyntaxError as error:
            if "tokens. Parsing aborted" in error.message:
                limit = self.limits.tokens
                raise over("TOO_MANY_TOKENS", "Words and signs", limit + 1, limit) from None
            if "nested too deeply" in error.message:
                raise RecursionError from None
            raise faulty_document("GRAPHQL_PARSE_FAILED", [error]) from None

    def _keep(self, text: str, document: Document | Refused) -> None:
        if len(text) > self.limits.cached_characters // 10:
            return
        self._kept[text] = document
        self._characters += len(text)
        while self._characters > self.limits.cached_characters:
            oldest, _ = self._kept.popitem(last=False)
            self._characters -= len(oldest)


def _defaults(node: OperationDefinitionNode) -> dict[str, Any]:
    """Default values of an operation's variables, as a client would have sent them."""
    return {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in node.variable_definitions or ()
        if each.default_value is not None
    }
