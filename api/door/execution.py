"""Execution that takes a plain attribute for what it is.

Most of an answer is attributes of objects that were read already: text, numbers, an amount. For
each of them graphql-core builds a description of where it stands in the document, goes through
Strawberry's resolver, and asks what kind of type it has and whether it has to be waited for. Here
they are read, and told if that gives a plain value. Whatever else they are, a wrong value among
them, takes graphql-core's own way, which knows every error and every null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    is_leaf_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor
from strawberry.types.field import StrawberryField

PLAIN: Final = "forecourt-plain"
NOT_PLAIN: Final = object()
PLAIN_VALUES: Final = frozenset({str, int, float, bool})


class PlainLeaf(NamedTuple):
    """A field that is an attribute, and how its value is told."""

    attribute: str
    tell: Callable[[Any], Any]
    is_nullable: bool


class PlainObject(NamedTuple):
    """A field that is an attribute, and the class of the object that stands there."""

    attribute: str
    origin: type
    type: GraphQLObjectType


def mark_plain_fields(schema: GraphQLSchema) -> None:
    """Note at each field that is nothing but an attribute how it is read."""
    for each in schema.type_map.values():
        if is_object_type(each):
            for field in each.fields.values():
                plain = _plain(field)
                if plain is not None:
                    field.extensions[PLAIN] = plain


def _plain(field: GraphQLField) -> PlainLeaf | PlainObject | None:
    definition = field.extensions.get("strawberry-definition")
    if not (isinstance(definition, StrawberryField) and definition.is_basic_field):
        return None
    if definition.default_resolver is not getattr:
        return None
    nullable = not is_non_null_type(field.type)
    kind = field.type if nullable else field.type.of_type  # type: ignore[union-attr]
    if is_leaf_type(kind):
        return PlainLeaf(definition.python_name, kind.coerce_output_value, nullable)
    if is_object_type(kind):
        origin = kind.extensions["strawberry-definition"].origin
        return PlainObject(definition.python_name, origin, kind)
    return None


def _told(plain: PlainLeaf, source: Any) -> Any:
    """The value of a plain field; ``NOT_PLAIN`` where graphql-core has to look at it."""
    try:
        value = getattr(source, plain.attribute)
        if value is None and plain.is_nullable:
            return None
        told = plain.tell(value)
    except Exception:
        # It is met again, and told, by graphql-core.
        return NOT_PLAIN
    return told if type(told) in PLAIN_VALUES else NOT_PLAIN


class PlainFirst(Executor[Any]):
    """An executor for a schema whose plain fields are marked."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        """The values of some fields of one object, if need be to wait for."""
        told: dict[str, Any] = {}
        others = {}
        for name, details in grouped_field_set.items():
            field = parent_type.fields.get(details[0].node.name.value)
            plain = None if field is None else field.extensions.get(PLAIN)
            value = _told(plain, source_value) if type(plain) is PlainLeaf else NOT_PLAIN
            # Its place among the others is kept, also for one that comes later.
            told[name] = value
            if value is NOT_PLAIN:
                others[name] = details
        if not others:
            return told
        found: Any = super().execute_fields(
            parent_type, source_value, path, others, position_context
        )
        if not self.is_awaitable(found):
            told.update(found)
            return told

        async def found_later() -> dict[str, Any]:
            told.update(await found)
            return told

        return found_later()

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Any,
        path: Any,
        position_context: Any,
    ) -> Any:
        """The value of a field that is no plain leaf, if need be to wait for."""
        field = parent_type.fields.get(field_details_list[0].node.name.value)
        plain = None if field is None else field.extensions.get(PLAIN)
        if type(plain) is PlainObject:
            value = getattr(source, plain.attribute, None)
            # Of the very class there is no need to ask whether it is of the type.
            if type(value) is plain.origin:
                return self._object(plain.type, field, value, field_details_list, path)
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )

    def _object(
        self, kind: GraphQLObjectType, field: Any, value: Any, details: Any, path: Any
    ) -> Any:
        try:
            completed = self.collect_and_execute_subfields(kind, details, path, value, None)
        except Exception as fault:
            self.handle_field_error(fault, field.type, details, path)
            return None
        if not self.is_awaitable(completed):
            return completed

        async def completed_later() -> Any:
            try:
                return await completed
            except Exception as fault:
                self.handle_field_error(fault, field.type, details, path)
                return None

        return completed_later()
