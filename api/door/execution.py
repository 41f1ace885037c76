"""Execution that takes what is plain for what it is.

For each value of an answer graphql-core builds a description of where it stands in the document,
goes through Strawberry's resolver, and asks what kind of type it has and whether it has to be
waited for. Here whatever is plain is read, see ``api.door.plain``. All else, a wrong value among
it, takes graphql-core's own way, which knows every error and every null.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, cast

from graphql import GraphQLField, GraphQLObjectType, get_named_type
from graphql.execution import Executor

from api.door.plain import PLAIN, Reader, Readers

NOT_PLAIN: Final = object()


def _told(read: Reader | None, value: Any) -> Any:
    """What is answered for a value; ``NOT_PLAIN`` where graphql-core has to look at it."""
    if read is None:
        return NOT_PLAIN
    try:
        return read(value)
    except Exception:
        # It is met again, and told, by graphql-core.
        return NOT_PLAIN


class PlainFirst(Executor[Any]):
    """An executor for a schema whose plain fields are marked."""

    @cached_property
    def _readers(self) -> Readers:
        return Readers(lambda kind, details: self.collect_subfields(kind, details)[0])

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
            value = _told(self._readers.field(parent_type, details), source_value)
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
        """The value of a field that is not read, if need be to wait for."""
        field = parent_type.fields.get(field_details_list[0].node.name.value)
        plain = None if field is None else field.extensions.get(PLAIN)
        if field is not None and plain is not None and plain.origin is not None:
            # It is an attribute, but something that is selected below has to be resolved.
            value = getattr(source, plain.attribute, None)
            if type(value) is plain.origin:
                return self._object(field, value, field_details_list, path)
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Any,
        position_context: Any,
    ) -> Any:
        """The values of a list that was resolved, if need be to wait for."""
        told = _told(self._readers.items(item_type, field_details_list), items)
        if told is not NOT_PLAIN:
            return told
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        """The values of an object that was resolved, if need be to wait for."""
        told = _told(self._readers.object(return_type, field_details_list), result)
        if told is not NOT_PLAIN:
            return told
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _object(self, field: GraphQLField, value: Any, details: Any, path: Any) -> Any:
        kind = cast("GraphQLObjectType", get_named_type(field.type))
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
