"""How large a document is before it runs: depth, aliases, fields and cost, in one linear pass.

Fragments are surveyed once each and then referred to, so a document of doubling fragments takes no
longer than its text. The pass runs before validation, which is itself not linear: it therefore
takes nothing for granted, and a field or fragment that does not exist counts as a leaf.

The price of an operation is a sum of products. Sizes that come from variables stay symbols in it,
so that the survey is made once per document and priced once per request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
)

from api.cost import SIZED_BY_PARENT, UNSTATED, FieldCost, cost_of
from api.door.refused import Refused, over, refused
from api.limits import Limits

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VariableSize:
    """A size that a variable decides: its number, or the length of a list inside it."""

    variable: str
    path: tuple[str, ...]
    otherwise: int

    def value(self, variables: Variables) -> int:
        found: Any = variables.get(self.variable)
        for name in self.path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, list):
            return len(found)
        if isinstance(found, int) and not isinstance(found, bool):
            return max(found, 0)
        return self.otherwise if found is None else 1


Size = int | VariableSize


@dataclass(slots=True, eq=False)
class Price:
    """Points: a fixed part, and parts that are multiplied by a size.

    Prices refer to one another and are never written out, which is what keeps them small.
    """

    fixed: int = 0
    parts: list[tuple[Size, Price]] = field(default_factory=list)

    def add(self, other: Price, size: Size = 1) -> None:
        """Count another price ``size`` times."""
        if isinstance(size, int) and not other.parts:
            self.fixed += size * other.fixed
        elif other.parts or other.fixed:
            self.parts.append((size, other))

    def value(self, variables: Variables, known: dict[int, int] | None = None) -> int:
        """Its points under these variables."""
        if not self.parts:
            return self.fixed
        known = {} if known is None else known
        if id(self) not in known:
            known[id(self)] = self.fixed + sum(
                (size if isinstance(size, int) else size.value(variables))
                * price.value(variables, known)
                for size, price in self.parts
            )
        return known[id(self)]


@dataclass(slots=True, eq=False)
class Survey:
    """What lies in a selection, fragments expanded.

    Attributes:
        once: the price of its fields.
        each: the price of those whose size the field above decides, for one item.
    """

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    own_fields: int = 0
    once: Price = field(default_factory=Price)
    each: Price = field(default_factory=Price)

    def include(self, other: Survey) -> None:
        """A fragment, whose fields stand beside one's own."""
        self.depth = max(self.depth, other.depth)
        self.aliases += other.aliases
        self.fields += other.fields
        self.own_fields += other.own_fields
        self.once.add(other.once)
        self.each.add(other.each)

    def check(self, limits: Limits) -> None:
        """Hold the survey of an operation against the limits that need no variables.

        Raises:
            Refused: names the figure that is too high.
        """
        for code, what, requested, limit in (
            ("TOO_DEEP", "Levels of nested fields", self.depth, limits.depth),
            ("TOO_MANY_ALIASES", "Aliases", self.aliases, limits.aliases),
            ("TOO_MANY_ROOT_FIELDS", "Root fields", self.own_fields, limits.root_fields),
            ("TOO_MANY_FIELDS", "Fields", self.fields, limits.fields),
        ):
            if requested > limit:
                raise over(code, what, requested, limit)


def check_cost(requested: int, limit: int) -> None:
    """Hold the price of an operation against the limit of one request.

    Raises:
        Refused: says both.
    """
    if requested > limit:
        raise over("COST_EXCEEDED", "Objects that this could return", requested, limit)


def survey_document(
    document: DocumentNode, schema: GraphQLSchema, limits: Limits
) -> dict[str | None, Survey]:
    """The survey of each operation, by its name.

    Raises:
        Refused: a limit is passed, whatever the variables.
    """
    definitions = len(document.definitions)
    if definitions > limits.definitions:
        raise over(
            "TOO_MANY_DEFINITIONS", "Operations and fragments", definitions, limits.definitions
        )
    surveyor = _Surveyor(document, schema, limits)
    try:
        surveys = {
            each.name.value if each.name else None: surveyor.operation(each)
            for each in document.definitions
            if isinstance(each, OperationDefinitionNode)
        }
    except RecursionError:
        raise _too_involved() from None
    for survey in surveys.values():
        survey.check(limits)
    return surveys


def _too_involved() -> Refused:
    return refused(400, "TOO_DEEP", "The document nests too deeply to be read.")


class _Surveyor:
    """Surveys the operations of one document; remembers its fragments."""

    def __init__(self, document: DocumentNode, schema: GraphQLSchema, limits: Limits) -> None:
        self.schema = schema
        self.limits = limits
        self.definitions = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self.surveyed: dict[str, Survey] = {}

    def operation(self, node: OperationDefinitionNode) -> Survey:
        return self.selection(node.selection_set, self.schema.get_root_type(node.operation))

    def selection(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Survey:
        survey = Survey()
        for each in node.selections:
            if isinstance(each, FieldNode):
                self.add_field(survey, each, parent)
            elif isinstance(each, FragmentSpreadNode):
                survey.include(self.fragment(each.name.value))
            elif isinstance(each, InlineFragmentNode):
                condition = each.type_condition
                inside = self.schema.get_type(condition.name.value) if condition else parent
                survey.include(self.selection(each.selection_set, inside))
        return survey

    def fragment(self, name: str) -> Survey:
        if name not in self.surveyed:
            # Stands in for itself meanwhile: validation refuses fragments that contain themselves.
            self.surveyed[name] = Survey()
            if definition := self.definitions.get(name):
                self.surveyed[name] = self.selection(
                    definition.selection_set,
                    self.schema.get_type(definition.type_condition.name.value),
                )
        return self.surveyed[name]

    def add_field(self, survey: Survey, node: FieldNode, parent: GraphQLNamedType | None) -> None:
        defined = (
            self.schema.get_field(parent, node.name.value)
            if parent and is_composite_type(parent)
            else None
        )
        inside = get_named_type(defined.type) if defined else None
        below = self.selection(node.selection_set, inside) if node.selection_set else Survey()
        survey.depth = max(survey.depth, below.depth + 1)
        survey.aliases += below.aliases + (node.alias is not None)
        survey.fields += below.fields + 1
        survey.own_fields += 1
        if defined:
            self.add_price(survey, node, defined, below)

    def add_price(
        self, survey: Survey, node: FieldNode, defined: GraphQLField, below: Survey
    ) -> None:
        stated = stated_cost(defined)
        survey.once.fixed += stated.weight
        if is_leaf_type(get_named_type(defined.type)):
            return
        size = self.size(node, defined, stated)
        item = Price(fixed=1)
        item.add(below.once)
        if not is_list_type(get_nullable_type(defined.type)):
            item.add(below.each, self.limits.list_size if size is None else size)
            survey.once.add(item)
            return
        item.add(below.each, self.limits.list_size)
        if stated.size == SIZED_BY_PARENT:
            survey.each.add(item)
        else:
            survey.once.add(item, self.limits.list_size if size is None else size)

    def size(self, node: FieldNode, defined: GraphQLField, stated: FieldCost) -> Size | None:
        """Items that the field is asked for; None where nothing says."""
        given = {argument.name.value: argument for argument in node.arguments or ()}
        if stated.count:
            name, *path = stated.count.split(".")
            assumed = stated.size if isinstance(stated.size, int) else self.limits.list_size
            otherwise = _default_size(defined, name, assumed)
            return self.argument(given.get(name), tuple(path), otherwise=otherwise)
        if "first" in defined.args or "last" in defined.args:
            name = "last" if "last" in given and "first" not in given else "first"
            otherwise = _default_size(defined, name, self.limits.page_size)
            return self.argument(given.get(name), (), otherwise=otherwise)
        return stated.size if isinstance(stated.size, int) else None

    @staticmethod
    def argument(given: ArgumentNode | None, path: tuple[str, ...], *, otherwise: int) -> Size:
        """The number in an argument, or the length of the list in it, at a path inside it."""
        value = given.value if given else None
        for place, name in enumerate(path):
            if not isinstance(value, ObjectValueNode):
                break
            value = next((each.value for each in value.fields if each.name.value == name), None)
            if isinstance(value, VariableNode):
                return VariableSize(value.name.value, path[place + 1 :], otherwise)
        if isinstance(value, VariableNode):
            return VariableSize(value.name.value, path, otherwise)
        return _number(value, otherwise)


def stated_cost(defined: GraphQLField) -> FieldCost:
    """What is said of the price of a field of Strawberry's, or that nothing is."""
    made_from = defined.extensions.get("strawberry-definition")
    return cost_of(made_from.metadata) if made_from is not None else UNSTATED


def _default_size(defined: GraphQLField, name: str, otherwise: int) -> int:
    default = defined.args[name].default_value if name in defined.args else None
    return default if isinstance(default, int) else otherwise


def _number(value: ValueNode | None, otherwise: int) -> int:
    if isinstance(value, IntValueNode):
        # More digits than any size has would only take time to convert.
        return max(int(value.value[:12]), 0)
    if isinstance(value, ListValueNode):
        return len(value.values)
    return otherwise
