"""The reference of the API as a page: `docs/api.md` is what this makes of the served schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    print_ast,
)
from graphql.utilities import ast_from_value

from api.cost import SIZED_BY_PARENT
from api.door.analysis import stated_cost
from api.door.codes import CODES
from api.errors import UserErrorCode
from api.limits import Limits
from api.settings import Settings

HEAD = """\
# The API

Made from the served schema by `forecourt schema --markdown > docs/api.md`; a test holds the two
together.

`POST /graphql` with `Authorization: Bearer KEY` and a JSON body of `query`, `variables` and
`operationName`; `GET` for queries; subscriptions over `graphql-transport-ws` at the same path, or
as server-sent events with `Accept: text/event-stream`. A field that ends in `!` is never null.

Contents: [queries](#queries), [mutations](#mutations), [subscriptions](#subscriptions),
[types](#types), [inputs](#inputs), [enums](#enums), [scalars](#scalars), [costs](#costs),
[errors](#errors).
"""
COSTS = """\
## Costs

An operation costs a point for each object that it could return, times the sizes of the lists above
it; scalars are free, and an operation costs at least one. A page counts what `first` or `last` asks
for, {page_size} where neither is given; another list counts what is said beside it above,
{list_size} where nothing is. The answer's `extensions.cost` tells what was paid and what is left.
The figures are settings:

| setting | default | |
|---|---|---|
"""
ERRORS = """
## Errors

What a caller can mend is data: mutations answer `userErrors`, each with a code, a message for a
person and the path of the input's field. Where a query is refused, the same codes stand in
`extensions.code` of a top-level error.

| code | means |
|---|---|
"""
REQUEST_ERRORS = """
Requests that are not executed have no `data`. A client that accepts only `application/json` gets
status 200 where its document is at fault, as the GraphQL-over-HTTP specification wants it.

| code | status | means |
|---|---|---|
"""
FIGURES = ("points_per_minute", "assumed_list_size")


def page(schema: GraphQLSchema) -> str:
    """The reference of a schema, in Markdown."""
    return "\n".join([HEAD, *_roots(schema), *_types(schema), _costs(Limits()), _errors()]).rstrip(
        "\n"
    )


def _roots(schema: GraphQLSchema) -> Iterator[str]:
    for title, root in (
        ("Queries", schema.query_type),
        ("Mutations", schema.mutation_type),
        ("Subscriptions", schema.subscription_type),
    ):
        if root:
            yield f"## {title}\n"
            yield from (_root(name, field) for name, field in sorted(root.fields.items()))


def _root(name: str, field: GraphQLField) -> str:
    lines = [f"### {name}\n", f"{_text(field.description)} Costs {_cost(field)}.\n"]
    lines += [f"Answers {_linked(field)}.\n"]
    if field.args:
        lines += ["| argument | type | |", "|---|---|---|"]
        lines += _arguments(field.args)
        lines.append("")
    return "\n".join(lines)


def _arguments(arguments: Mapping[str, Any]) -> Iterator[str]:
    for name, argument in arguments.items():
        told = f"{_linked(argument)}{_default(argument)} | {_text(argument.description)}"
        yield f"| `{name}` | {told} |"


def _types(schema: GraphQLSchema) -> Iterator[str]:
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    kinds = [
        kind
        for name, kind in sorted(schema.type_map.items())
        if not name.startswith("__") and kind not in roots
    ]
    for title, of in (
        ("Types", (GraphQLObjectType, GraphQLInterfaceType)),
        ("Inputs", GraphQLInputObjectType),
        ("Enums", GraphQLEnumType),
        ("Scalars", GraphQLScalarType),
    ):
        yield f"## {title}\n"
        yield from (_type(kind) for kind in kinds if isinstance(kind, of))


def _type(kind: GraphQLNamedType) -> str:
    lines = [f"### {kind.name}\n", f"{_text(kind.description)}\n"]
    if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
        lines += ["| field | type | | costs |", "|---|---|---|---|"]
        lines += [
            f"| `{name}`{_called_with(field.args)} | {_linked(field)} "
            f"| {_text(field.description)} | {_cost(field)} |"
            for name, field in kind.fields.items()
        ]
    elif isinstance(kind, GraphQLInputObjectType):
        lines += ["| field | type | |", "|---|---|---|", *_arguments(kind.fields)]
    elif isinstance(kind, GraphQLEnumType):
        lines += ["| value | means |", "|---|---|"]
        lines += [
            f"| `{name}` | {_text(value.description)} |" for name, value in kind.values.items()
        ]
    else:
        return "\n".join(lines)
    return "\n".join([*lines, ""])


def _called_with(arguments: Mapping[str, GraphQLArgument]) -> str:
    told = ", ".join(f"{name}: {each.type}{_default(each)}" for name, each in arguments.items())
    return f" ({told})" if told else ""


def _default(argument: Any) -> str:
    if argument.default_value in (Undefined, None):
        return ""
    value = ast_from_value(argument.default_value, argument.type)
    return f" = `{print_ast(value)}`" if value else ""


def _linked(typed: Any) -> str:
    name = get_named_type(typed.type).name
    shown = str(typed.type).replace("[", "\\[").replace("]", "\\]")
    return shown.replace(name, f"[{name}](#{name.lower()})")


def _text(description: str | None) -> str:
    return " ".join((description or "").split()).replace("|", "\\|")


def _cost(field: GraphQLField) -> str:
    """What a field costs, in words; what is selected below it comes on top."""
    stated = stated_cost(field)
    parts = [str(stated.weight)] if stated.weight else []
    if not is_leaf_type(get_named_type(field.type)):
        parts.append(_objects(field))
    return " + ".join(parts) or "0"


def _objects(field: GraphQLField) -> str:
    stated = stated_cost(field)
    if not is_list_type(get_nullable_type(field.type)):
        return f"1, and its items by `{stated.count}`" if stated.count else "1"
    if stated.size == SIZED_BY_PARENT:
        return "1 an item asked for"
    if stated.count:
        absent = f", {stated.size} if absent" if isinstance(stated.size, int) else ""
        return f"1 for each of `{stated.count}`{absent}"
    if "first" in field.args:
        return "1 for each of `first`"
    return str(stated.size if isinstance(stated.size, int) else Limits().list_size)


def _costs(limits: Limits) -> str:
    told = COSTS.format(page_size=limits.page_size, list_size=limits.list_size)
    return told + _lines(
        f"| `FORECOURT_{name.upper()}` | {field.default:,} | {field.description} |"
        for name, field in Settings.model_fields.items()
        if name.startswith("max_") or name in FIGURES
    )


def _errors() -> str:
    described = UserErrorCode.__strawberry_definition__  # type: ignore[attr-defined]
    mendable = (f"| `{each.name}` | {_text(each.description)} |" for each in described.values)
    refused = (
        f"| `{code}` | {status} | {_text(meaning)} |" for code, (status, meaning) in CODES.items()
    )
    return ERRORS + _lines(mendable) + REQUEST_ERRORS + _lines(refused)


def _lines(rows: Iterable[str]) -> str:
    return "".join(f"{row}\n" for row in rows)
