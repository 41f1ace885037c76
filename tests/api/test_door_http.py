import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.door import Limits, Observer, Outcome, Refused
from tests.api.garage import a_client

STRICT = {"Accept": "application/graphql-response+json"}


def code_of(response: Any) -> str:
    return response.json()["errors"][0]["extensions"]["code"]


def post(body: Any, **headers: str) -> Any:
    return a_client().post("/graphql", json=body, headers=headers)


def test_a_query_is_answered_with_data_and_its_cost() -> None:
    answer = post({"query": "{ hello }"}).json()

    assert answer["data"] == {"hello": "hello ana"}
    assert answer["extensions"]["cost"]["requested"] == 1


def test_a_query_may_come_in_the_url() -> None:
    response = a_client().get(
        "/graphql",
        params={"query": "query Q($w: [String!]) { echo(words: $w) }", "variables": "{}"},
    )

    assert response.json()["data"] == {"echo": None}


def test_a_mutation_in_the_url_is_refused() -> None:
    response = a_client().get(
        "/graphql", params={"query": "mutation { scrap { userErrors { code } } }"}
    )

    assert (response.status_code, code_of(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"1",
        b'"x"',
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"query": "\\ud800"}',  # half of a surrogate pair
        b'{"query": 1}',
        b'{"query": null}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "variables": "x"}',
        b'{"query": "{ hello }", "operationName": 1}',
        b'{"query": "{ hello }", "extensions": 1}',
        b'{"query": "{ hello }", "variables": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"query": "{ hello }", "variables": {"n": 1e400}}',
    ],
)
def test_what_is_no_request_is_a_coded_400(body: bytes) -> None:
    response = a_client().post(
        "/graphql", content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"words": ["x"] * 5_001}, "LIST_TOO_LONG"),
        ({"json": dict.fromkeys(map(str, range(5_001)))}, "TOO_MANY_FIELDS"),
        ({"json": json.loads("[" * 60 + "]" * 60)}, "INPUT_TOO_DEEP"),
    ],
)
def test_variables_beyond_a_limit_are_a_coded_400(variables: dict[str, Any], code: str) -> None:
    response = post({"query": "{ hello }", "variables": variables})

    assert (response.status_code, code_of(response)) == (400, code)


def test_an_integer_wider_than_any_type_is_the_callers_mistake() -> None:
    query = "query Q($n: Int) { cars(first: $n) { edges { node { id } } } }"

    response = a_client().post(
        "/graphql",
        content=b'{"query": "%s", "variables": {"n": %s}}' % (query.encode(), b"9" * 200),
        headers={"Content-Type": "application/json", **STRICT},
    )

    assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")


def test_a_body_beyond_the_limit_is_not_read() -> None:
    response = a_client(Limits(body_bytes=1000)).post("/graphql", json={"query": "#" * 2000})

    assert (response.status_code, code_of(response)) == (413, "BODY_TOO_LARGE")


def test_a_body_without_a_length_is_cut_at_the_limit() -> None:
    response = a_client(Limits(body_bytes=1000)).post(
        "/graphql",
        content=(b"x" * 100 for _ in range(100)),
        headers={"Content-Type": "application/json"},
    )

    assert (response.status_code, code_of(response)) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_a_form_of_another_site_cannot_send_requests(content_type: str) -> None:
    response = a_client().post(
        "/graphql", content=b'{"query": "{ hello }"}', headers={"Content-Type": content_type}
    )

    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_another_encoding_than_utf8_is_refused() -> None:
    response = a_client().post(
        "/graphql",
        content='{"query": "{ hello }"}'.encode("utf-16"),
        headers={"Content-Type": "application/json; charset=utf-16"},
    )

    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("authorization", [None, "", "Bearer wrong", "Basic YTpi"])
def test_a_stranger_gets_401_and_learns_how_to_be_known(authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    response = a_client(key=None).post("/graphql", json={"query": "{ hello }"}, headers=headers)

    assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/graphql-response+json, application/json;q=0.9", STRICT["Accept"]),
        ("application/json;q=0.5, application/graphql-response+json;q=0.4", "application/json"),
        ("text/html, application/graphql-response+json", STRICT["Accept"]),
    ],
)
def test_the_answer_has_the_form_that_the_client_likes_best(accept: str, media_type: str) -> None:
    response = post({"query": "{ hello }"}, Accept=accept)

    assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"


def test_a_client_that_accepts_no_form_of_ours_gets_406() -> None:
    response = post({"query": "{ hello }"}, Accept="image/png")

    assert (response.status_code, code_of(response)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ echo(amount: "1e400") }', "GRAPHQL_VALIDATION_FAILED"),
        (
            "query Q($n: Int!) { rivals: cars(first: $n) { edges { node { id } } } }",
            "BAD_USER_INPUT",
        ),
        ("query A { hello } query B { secret }", "OPERATION_RESOLUTION_FAILURE"),
        ("fragment F on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
        ("# nothing but a comment", "GRAPHQL_PARSE_FAILED"),
        ("subscription { count }", "SUBSCRIPTION_NOT_SUPPORTED"),
    ],
)
def test_a_faulty_document_is_a_coded_400_without_data(query: str, code: str) -> None:
    response = post({"query": query}, **STRICT)

    assert (response.status_code, code_of(response)) == (400, code)
    assert "data" not in response.json()


def test_the_operation_that_is_named_runs() -> None:
    document = "query A { hello } query B { secret }"

    answer = post({"query": document, "operationName": "A"}).json()

    assert answer["data"] == {"hello": "hello ana"}


def test_an_operation_that_is_not_there_is_refused() -> None:
    response = post({"query": "query A { hello }", "operationName": "B"}, **STRICT)

    assert (response.status_code, code_of(response)) == (400, "OPERATION_RESOLUTION_FAILURE")


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ broken hello }", {"broken": None, "hello": "hello ana"}),
        ("mutation { crash { userErrors { code } } }", {"crash": None}),
    ],
)
def test_a_fault_is_logged_in_full_and_masked(query: str, data: dict[str, Any]) -> None:
    with capture_logs() as logs:
        response = post({"query": query}, **{"X-Request-Id": "abc-1"})

    (error,) = response.json()["errors"]
    assert error["message"] == "Internal server error"
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "abc-1"}
    assert "SELECT" not in response.text
    assert "SELECT secret FROM keys" in str(logs[0]["exc_info"])
    assert response.json()["data"] == data


def test_a_result_that_json_cannot_say_is_masked() -> None:
    with capture_logs():
        response = post({"query": "{ unwritable }"})

    assert code_of(response) == "INTERNAL"


def test_an_operation_that_takes_too_long_is_given_up() -> None:
    response = a_client(Limits(request_seconds=0.05)).post("/graphql", json={"query": "{ slow }"})

    assert (response.status_code, code_of(response)) == (503, "TIMEOUT")


def test_every_refusal_of_a_query_is_a_coded_error_with_its_path() -> None:
    first, second = post({"query": "{ missing }"}).json()["errors"]

    assert (first["message"], first["extensions"]) == ("No such car.", {"code": "NOT_FOUND"})
    assert second["extensions"] == {"code": "INVALID", "field": ["year"]}
    assert first["path"] == second["path"] == ["missing"]


def test_a_query_beyond_the_callers_roles_is_forbidden() -> None:
    answer = post({"query": "{ secret }"}).json()

    assert answer["data"] == {"secret": None}
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_mutation_beyond_the_callers_roles_says_so_as_data() -> None:
    answer = post({"query": "mutation { scrap { cars { id } userErrors { code field } } }"}).json()

    assert answer["data"]["scrap"] == {
        "cars": [],
        "userErrors": [{"code": "FORBIDDEN", "field": None}],
    }


def test_a_refusal_of_a_mutation_is_data_with_its_path() -> None:
    document = """mutation {
      paint(input: {cars: ["good", "bad"]}) { cars { id } userErrors { code message field } }
    }"""

    answer = post({"query": document}).json()

    assert answer["data"]["paint"]["userErrors"] == [
        {"code": "INVALID", "message": "This one is rusty.", "field": ["cars", "1"]}
    ]
    assert "errors" not in answer


def test_the_id_of_a_request_comes_back() -> None:
    assert (
        post({"query": "{ hello }"}, **{"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    )


@pytest.mark.parametrize("given", ["a b", "x" * 65, "{}", ""])
def test_an_id_that_could_confuse_a_log_is_replaced(given: str) -> None:
    assert (
        len(post({"query": "{ hello }"}, **{"X-Request-Id": given}).headers["X-Request-Id"]) == 32
    )


def test_answers_are_neither_kept_nor_framed_nor_guessed_at() -> None:
    headers = post({"query": "{ hello }"}).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(method: str) -> None:
    response = a_client().request(method, "/graphql")

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"


def test_nodes_are_found_by_their_ids_in_order_and_null_where_there_is_none() -> None:
    document = "query Q($ids: [ID!]!) { nodes(ids: $ids) { ... on Car { number } } }"
    ids = ["Q2FyOjI", "nonsense", "Q2FyOjE", "Q2FyOjk5OTk", "Qm9hdDox", "Q2FyOjI"]

    answer = post({"query": document, "variables": {"ids": ids}}).json()

    assert answer["data"]["nodes"] == [
        {"number": 2},
        None,
        {"number": 1},
        None,
        None,
        {"number": 2},
    ]


def test_more_ids_than_allowed_are_refused() -> None:
    answer = post(
        {
            "query": "query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            "variables": {"ids": ["x"] * 101},
        }
    )

    assert code_of(answer) == "LIMIT_EXCEEDED"


def test_an_error_of_authentication_is_masked_too() -> None:
    class Failing:
        async def authenticate(self, authorization: str | None, address: str) -> None:
            raise RuntimeError("no database")

    with capture_logs():
        response = a_client(keys=Failing()).post("/graphql", json={"query": "{ hello }"})

    assert (response.status_code, code_of(response)) == (500, "INTERNAL")


class Noting(Observer):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.seen: list[Outcome] = []
        self.codes: list[str] = []

    def ran(self, outcome: Outcome) -> None:
        self.seen.append(outcome)

    def refused(self, refusal: Refused) -> None:
        self.codes += [error["extensions"]["code"] for error in refusal.errors]


def test_whoever_observes_is_told_of_each_operation_that_ran() -> None:
    observer = Noting()
    document = "query Mixed { hello missing cars(first: 2) { edges { node { id } } } }"

    a_client(observer=observer).post("/graphql", json={"query": document})

    (outcome,) = observer.seen
    assert (outcome.operation_name, outcome.operation_type) == ("Mixed", "query")
    assert outcome.cost == 1 + 2 * 2
    assert outcome.error_codes == ("NOT_FOUND", "INVALID")
    assert outcome.seconds > 0


def test_whoever_observes_is_told_of_each_operation_that_was_turned_away() -> None:
    observer = Noting()
    client = a_client(Limits(points_per_minute=100), observer=observer)

    for document in ("{ nowhere }", "{ cars(first: 60) { edges { node { id } } } }", "{ hello"):
        client.post("/graphql", json={"query": document})

    assert observer.codes == [
        "GRAPHQL_VALIDATION_FAILED",
        "COST_EXCEEDED",
        "GRAPHQL_PARSE_FAILED",
    ]
    assert observer.seen == []
