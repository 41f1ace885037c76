"""Plain values: what an answer takes from an object as it stands there, without asking anybody.

Most of an answer is that: text, numbers, an amount, a list of price changes, attributes all of them
of objects that were read before. What is selected of such a type is made a *reader*, once for an
operation: a function from a value to what is answered for it. A reader knows plain values of the
declared type alone, and raises for anything else, which graphql-core then looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from strawberry.types.field import StrawberryField

PLAIN: Final = "forecourt-plain"
TYPENAME: Final = "__typename"
PLAIN_VALUES: Final = frozenset({str, int, float, bool})
ITEMS: Final = frozenset({list, tuple})

Details = Any
"""The places of a document that select one field, as graphql-core groups them."""

Reader = Callable[[Any], Any]
"""What is answered for a value.

Raises:
    Exception: the value is not of its type, or broken.
"""


class NotPlain(Exception):
    """A value that is not what its type allows, or that has to be waited for."""


class Plain(NamedTuple):
    """A field that is an attribute, and the class of the object that stands there, if one does."""

    attribute: str
    origin: type | None


def mark_plain_fields(schema: GraphQLSchema) -> None:
    """Note at each field that is nothing but an attribute which one that is."""
    for each in schema.type_map.values():
        if is_object_type(each):
            for field in each.fields.values():
                plain = _plain(field)
                if plain is not None:
                    field.extensions[PLAIN] = plain


def _plain(field: GraphQLField) -> Plain | None:
    definition = field.extensions.get("strawberry-definition")
    if not (isinstance(definition, StrawberryField) and definition.is_basic_field):
        return None
    if definition.default_resolver is not getattr:
        return None
    kind = field.type.of_type if is_non_null_type(field.type) else field.type
    return Plain(definition.python_name, _origin(kind) if is_object_type(kind) else None)


def _origin(kind: GraphQLObjectType) -> type:
    """The class that a type was made from."""
    origin: type = kind.extensions["strawberry-definition"].origin
    return origin


class Readers:
    """The readers of one operation; None stands for what has to be resolved, or has below it.

    Args:
        selected: what is selected below a field of a type, by the name it is answered under.
    """

    def __init__(
        self, selected: Callable[[GraphQLObjectType, Details], Mapping[str, Details]]
    ) -> None:
        self._selected = selected
        self._made: dict[tuple[str, int, int], tuple[Reader | None, Details]] = {}

    def field(self, parent: GraphQLObjectType, details: Details) -> Reader | None:
        """From an object to what is answered for one of its fields."""
        return self._once(self._field, parent, details)

    def object(self, kind: GraphQLObjectType, details: Details) -> Reader | None:
        """From an object of a type."""
        return self._once(self._object, kind, details)

    def items(self, kind: GraphQLOutputType, details: Details) -> Reader | None:
        """From a list of values of a type."""
        return self._once(self._items, kind, details)

    def _once(
        self, make: Callable[[Any, Details], Reader | None], kind: Any, details: Details
    ) -> Reader | None:
        # By the identity of details, which are kept beside it: no others may come to have it.
        key = (make.__name__, id(kind), id(details))
        known = self._made.get(key)
        if known is None:
            known = self._made[key] = (make(kind, details), details)
        return known[0]

    def _field(self, parent: GraphQLObjectType, details: Details) -> Reader | None:
        name = details[0].node.name.value
        if name == TYPENAME:
            return lambda _: parent.name
        field = parent.fields.get(name)
        plain = None if field is None else field.extensions.get(PLAIN)
        if field is None or plain is None:
            return None
        read = self._value(field.type, details)
        return None if read is None else _attribute(plain.attribute, read)

    def _value(self, kind: GraphQLOutputType, details: Details) -> Reader | None:
        if is_non_null_type(kind):
            return self._never_null(kind.of_type, details)
        read = self._never_null(kind, details)
        return None if read is None else _or_null(read)

    def _never_null(self, kind: Any, details: Details) -> Reader | None:
        if is_leaf_type(kind):
            return _leaf(kind.coerce_output_value)
        if is_list_type(kind):
            return self.items(kind.of_type, details)
        return self.object(kind, details) if is_object_type(kind) else None

    def _items(self, kind: GraphQLOutputType, details: Details) -> Reader | None:
        read = self._value(kind, details)
        return None if read is None else _list_of(read)

    def _object(self, kind: GraphQLObjectType, details: Details) -> Reader | None:
        if "strawberry-definition" not in kind.extensions:
            return None
        fields = []
        for name, each in self._selected(kind, details).items():
            read = self.field(kind, each)
            if read is None:
                return None
            fields.append((name, read))
        return _object_of(_origin(kind), fields)


def _attribute(name: str, read: Reader) -> Reader:
    return lambda source: read(getattr(source, name))


def _leaf(tell: Callable[[Any], Any]) -> Reader:
    def read(value: Any) -> Any:
        told = None if value is None else tell(value)
        if type(told) in PLAIN_VALUES:
            return told
        raise NotPlain

    return read


def _or_null(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _list_of(read: Reader) -> Reader:
    def read_all(value: Any) -> Any:
        if type(value) in ITEMS:
            return [read(each) for each in value]
        raise NotPlain

    return read_all


def _object_of(origin: type, fields: list[tuple[str, Reader]]) -> Reader:
    def read_all(value: Any) -> Any:
        # Of the very class there is no need to ask whether it is of the type.
        if type(value) is origin:
            return {name: read(value) for name, read in fields}
        raise NotPlain

    return read_all
