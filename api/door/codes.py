"""The codes of requests that are turned away, each with its HTTP status and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, tuple[int, str]]] = {
    "BAD_REQUEST": (400, "No GraphQL request: the body, the URL or a message has another form."),
    "BAD_USER_INPUT": (400, "A variable or argument has a value that its type does not know."),
    "GRAPHQL_PARSE_FAILED": (400, "The document is no GraphQL."),
    "GRAPHQL_VALIDATION_FAILED": (400, "The document asks for what the schema does not have."),
    "OPERATION_RESOLUTION_FAILURE": (
        400,
        "`operationName` does not tell which operation to run.",
    ),
    "SUBSCRIPTION_NOT_SUPPORTED": (400, "Subscriptions go over WebSocket or server-sent events."),
    "PERSISTED_QUERY_NOT_FOUND": (400, "The hash is not known here: send the document as well."),
    "PERSISTED_QUERY_HASH_MISMATCH": (400, "The hash is that of another document."),
    "PERSISTED_QUERY_NOT_SUPPORTED": (400, "Another version of persisted queries than 1."),
    "COST_EXCEEDED": (400, "The operation could return more objects than a request may."),
    "TOO_DEEP": (400, "Fields nest too deeply."),
    "TOO_MANY_ALIASES": (400, "Too many renamed fields, fragments expanded."),
    "TOO_MANY_FIELDS": (400, "Too many fields, fragments expanded, or in one object."),
    "TOO_MANY_ROOT_FIELDS": (400, "Too many fields of the operation itself."),
    "TOO_MANY_DEFINITIONS": (400, "Too many operations and fragments in one document."),
    "TOO_MANY_TOKENS": (400, "Too many words and signs in one document."),
    "INPUT_TOO_DEEP": (400, "The variables nest too deeply."),
    "LIST_TOO_LONG": (400, "A list in the variables is too long."),
    "TOO_MANY_OPERATIONS": (400, "Too many operations under way on one WebSocket."),
    "UNAUTHENTICATED": (401, "No key or token, or one that is wrong, revoked or expired."),
    "DOCUMENT_NOT_TRUSTED": (403, "The server answers registered documents only."),
    "METHOD_NOT_ALLOWED": (405, "A mutation goes by POST, and nothing by other methods."),
    "NOT_ACCEPTABLE": (406, "The client accepts no form in which the server can answer."),
    "REQUEST_TIMEOUT": (408, "The body took too long to arrive."),
    "BODY_TOO_LARGE": (413, "The body is too large."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "The body is not declared as JSON in UTF-8."),
    "RATE_LIMITED": (429, "No points left, or too many wrong keys; `Retry-After` says how long."),
    "CLIENT_GONE": (
        499,
        "The client hung up and its work was given up: for logs and metrics.",
    ),
    "INTERNAL": (500, "A fault of the server; quote `requestId` when you report it."),
    "TIMEOUT": (503, "The operation took too long and was given up."),
    "UNAVAILABLE": (
        503,
        "The database is away, busy or full: send it again after `Retry-After` seconds.",
    ),
    "AUTHENTICATION_UNAVAILABLE": (503, "The issuer of tokens does not answer; keys still work."),
}
