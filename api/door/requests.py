"""From the bytes of a request to a document, variables and a name, or a coded refusal."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request

from api.door.refused import Malformed, Refused, over, refused
from api.limits import Limits

SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for, of the right types and within the limits of size.

    Attributes:
        query: the text of the document; None where its hash stands for it.
        hash: its SHA-256 in lower-case hexadecimal, where the client names it; empty otherwise.
    """

    query: str | None
    variables: dict[str, Any]
    operation_name: str | None = None
    hash: str = ""


async def asked_by_post(request: Request, limits: Limits) -> Asked:
    """The request in a JSON body."""
    _check_content_type(request.headers.get("content-type", ""))
    return asked_from(parse_json(await _body(request, limits), "The body"), limits)


def asked_by_get(parameters: QueryParams, limits: Limits) -> Asked:
    """The request in a URL, its objects as JSON text."""
    fields: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if name in fields:
            fields[name] = parse_json(fields[name], f"`{name}`") if fields[name] else None
    return asked_from(fields, limits)


def asked_from(fields: object, limits: Limits) -> Asked:
    """The request in an object, as GraphQL-over-HTTP and graphql-transport-ws both have it.

    Raises:
        Refused: a part is missing, of the wrong type, too deep or too long.
    """
    if not isinstance(fields, dict):
        raise Malformed("The request has to be a JSON object.")
    digest = _digest(fields.get("extensions"))
    query = fields.get("query")
    if not isinstance(query, str | None) or not (query or digest):
        raise Malformed("`query` has to be the text of a GraphQL document.")
    variables = fields.get("variables")
    if not isinstance(variables, dict | None):
        raise Malformed("`variables` has to be an object.")
    name = fields.get("operationName")
    if not isinstance(name, str | None):
        raise Malformed("`operationName` has to be a string.")
    _check_size(variables or {}, limits)
    return Asked(
        query=query or None, variables=variables or {}, operation_name=name or None, hash=digest
    )


def _digest(extensions: object) -> str:
    """The hash of an automatic persisted query; empty where the request has none."""
    if not isinstance(extensions, dict | None):
        raise Malformed("`extensions` has to be an object.")
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is None:
        return ""
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise refused(
            400, "PERSISTED_QUERY_NOT_SUPPORTED", "Persisted queries are known in version 1 only."
        )
    given = persisted.get("sha256Hash")
    if not isinstance(given, str) or not SHA256.fullmatch(given):
        raise Malformed("`sha256Hash` has to be a SHA-256 in lower-case hexadecimal.")
    return given


def parse_json(text: bytes | str, what: str) -> Any:
    """The value of a JSON text.

    Raises:
        Malformed: no JSON, no UTF-8, a lone surrogate or deeper than any client needs.
    """
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeError) as error:
        reason = str(error).partition(":")[0]
        raise Malformed(f"{what} has to be JSON in UTF-8: {reason}.") from None


def _check_content_type(header: str) -> None:
    media_type, _, parameters = header.partition(";")
    # Anything else would let a web page of strangers send requests without asking first (CSRF).
    if media_type.strip().lower() != "application/json":
        raise refused(
            415, "UNSUPPORTED_MEDIA_TYPE", "Send the request with Content-Type application/json."
        )
    name, _, charset = parameters.strip().partition("=")
    if name.lower() == "charset" and charset.strip('" ').lower() not in ("utf-8", "utf8"):
        raise refused(415, "UNSUPPORTED_MEDIA_TYPE", "Send the request in UTF-8.")


async def _body(request: Request, limits: Limits) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limits.body_bytes:
        raise _too_large(limits)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.body_bytes:
                    raise _too_large(limits)
    except TimeoutError:
        raise refused(408, "REQUEST_TIMEOUT", "The body took too long to arrive.") from None
    except ClientDisconnect:
        raise Malformed("The body ended too early.") from None
    return bytes(body)


def _too_large(limits: Limits) -> Refused:
    return refused(
        413,
        "BODY_TOO_LARGE",
        f"The body is larger than {limits.body_bytes} bytes.",
        # What is still on its way would otherwise be read as the next request.
        headers={"Connection": "close"},
        limit=limits.body_bytes,
    )


def _check_size(variables: Mapping[str, Any], limits: Limits) -> None:
    level: list[Any] = [variables]
    depth = 0
    while level:
        if depth > limits.json_depth:
            raise over("INPUT_TOO_DEEP", "Levels of the variables", depth, limits.json_depth)
        below: list[Any] = []
        for each in level:
            if isinstance(each, list):
                if len(each) > limits.list_items:
                    raise over("LIST_TOO_LONG", "Items of one list", len(each), limits.list_items)
                below.extend(item for item in each if isinstance(item, dict | list))
            else:
                if len(each) > limits.list_items:
                    raise over(
                        "TOO_MANY_FIELDS", "Fields of one object", len(each), limits.list_items
                    )
                below.extend(item for item in each.values() if isinstance(item, dict | list))
        level = below
        depth += 1
