import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from graphql import get_introspection_query
from structlog.testing import capture_logs

from api.door import Limits
from api.door.counters import Counters
from api.door.documents import MAX_ERRORS_OF_LARGE, Documents
from api.door.points import Points, Window
from api.door.refused import Refused
from tests.api.garage import SCHEMA, a_client

GENEROUS = Limits(cost=10**9, root_fields=10**9, fields=10**9, aliases=10**9)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def price(document: str, variables: dict[str, Any] | None = None, limits: Limits = GENEROUS) -> int:
    return Documents(SCHEMA._schema, limits).operation(document, None).price(variables or {})


def refusal(document: str, limits: Limits | None = None) -> dict[str, Any]:
    with pytest.raises(Refused) as refused:
        Documents(SCHEMA._schema, limits or Limits()).read(document)
    return dict(refused.value.errors[0]["extensions"])


def calls(work: Callable[[], object]) -> int:
    """Functions that some work calls: as many on a busy machine as on an idle one."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def doubling(on: str, fields: str, times: int = 26) -> str:
    links = "".join(
        f"fragment F{n} on {on} {{ {fields} ...F{n + 1} ...F{n + 1} }} " for n in range(times)
    )
    return f"{links} fragment F{times} on {on} {{ {fields} }}"


def chain(length: int) -> str:
    links = "".join(f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(length))
    return f"{links} fragment F{length} on Query {{ hello }}"


@pytest.mark.parametrize(
    ("document", "points"),
    [
        # Scalars are free, but an operation costs at least a point.
        ("{ hello }", 1),
        ("{ hello a: hello b: hello }", 1),
        # One connection, and per item an edge and a car; a page is 50 where nothing says.
        ("{ cars { edges { node { id } } } }", 1 + 50 * 2),
        ("{ cars(first: 3) { edges { node { id number } } } }", 1 + 3 * 2),
        ("{ cars(last: 3) { edges { node { id } } } }", 1 + 3 * 2),
        ("{ cars(first: 0) { edges { node { id } } } }", 1),
        # A list without a size counts as 10.
        ("{ cars(first: 3) { edges { node { wheels { position } } } } }", 1 + 3 * (2 + 10)),
        # A list with an argument for its size has its default.
        ("{ cars(first: 3) { edges { node { rivals { id } } } } }", 1 + 3 * (2 + 5)),
        ("{ cars(first: 3) { edges { node { rivals(first: 2) { id } } } } }", 1 + 3 * (2 + 2)),
        # What is said beside a field, for each object that has it.
        ("{ cars(first: 3) { edges { node { valuation } } } }", 1 + 3 * (2 + 7)),
        ("{ node(id: 1) { ... on Car { comparables { id } } } }", 1 + 5 + 4),
        ("{ node(id: 1) { ... on Car { comparables(first: 2) { id } } } }", 1 + 5 + 2),
        # A list argument that decides the size.
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ('mutation { paint(input: {cars: ["a", "b"]}) { cars { id } } }', 1 + 2),
        # Inside fragments, named or not, the sizes above them hold as well.
        (
            (
                "{ cars(first: 3) { ...F } }"
                "fragment F on CarConnection { edges { node { twin { id } } } }"
            ),
            1 + 3 * 3,
        ),
        ("{ cars(first: 3) { ... { edges { node { id } } } } }", 1 + 3 * 2),
        ("{ node(id: 1) { ... on Car { wheels { position } } } }", 1 + 10),
        # Twice the same fragment costs twice.
        (
            (
                "{ a: cars(first: 3) { ...F } b: cars(first: 4) { ...F } }"
                "fragment F on CarConnection { edges { node { id } } }"
            ),
            1 + 3 * 2 + 1 + 4 * 2,
        ),
    ],
)
def test_an_operation_costs_a_point_for_each_object_it_can_return(
    document: str, points: int
) -> None:
    assert price(document) == points


@pytest.mark.parametrize(
    ("declared", "variables", "points"),
    [
        ("$n: Int", {"n": 7}, 1 + 7 * 2),
        ("$n: Int = 9", {}, 1 + 9 * 2),
        ("$n: Int = 9", {"n": 7}, 1 + 7 * 2),
        ("$n: Int", {}, 1 + 50 * 2),
        ("$n: Int", {"n": None}, 1 + 50 * 2),
        # Nonsense is refused by GraphQL afterwards; it must not make anything free or fail.
        ("$n: Int", {"n": -5}, 1),
        ("$n: Int", {"n": "many"}, 1 + 2),
    ],
)
def test_a_size_may_come_from_a_variable(
    declared: str, variables: dict[str, Any], points: int
) -> None:
    document = f"query Q({declared}) {{ cars(first: $n) {{ edges {{ node {{ id }} }} }} }}"

    assert price(document, variables) == points


@pytest.mark.parametrize(
    ("declared", "given", "variables"),
    [
        ("$i: PaintInput!", "$i", {"i": {"cars": ["a"] * 9}}),
        ("$c: [String!]!", "{cars: $c}", {"c": ["a"] * 9}),
        (f"$c: [String!]! = {json.dumps(['a'] * 9)}", "{cars: $c}", {}),
    ],
)
def test_a_batch_costs_by_its_length(declared: str, given: str, variables: dict[str, Any]) -> None:
    document = f"mutation M({declared}) {{ paint(input: {given}) {{ cars {{ id }} }} }}"

    assert price(document, variables) == 1 + 9


def test_a_document_that_could_return_more_than_the_limit_is_refused_with_the_figure() -> None:
    document = (
        "{ cars(first: 200) { edges { node { rivals(first: 200) { rivals(first: 9) { id } } } } } }"
    )

    response = a_client().post("/graphql", json={"query": document})

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"] == {
        "code": "COST_EXCEEDED",
        "requested": 1 + 200 * (2 + 200 * (1 + 9)),
        "limit": 100_000,
    }


TOO_LARGE = [
    ("{" + " ".join(f"a{n}: hello" for n in range(3000)) + "}", "TOO_MANY_ALIASES"),
    ("{" + "hello " * 51 + "}", "TOO_MANY_ROOT_FIELDS"),
    ("{ cars { edges {" + "cursor " * 1001 + "} } }", "TOO_MANY_FIELDS"),
    ("{ cars { edges { node {" + "twin {" * 20 + "id" + "}" * 24, "TOO_DEEP"),
    ("{" + "a {" * 5_000 + "}" * 5_000 + "}", "TOO_DEEP"),
    ("{ echo(json: " + "[" * 4_000 + "]" * 4_000 + ") }", "TOO_DEEP"),
    ("query Q($v: " + "[" * 4_000 + "Int" + "]" * 4_000 + ") { hello }", "TOO_DEEP"),
    ("{" + "hello " * 10_000 + "}", "TOO_MANY_TOKENS"),
    ("{ hello }" + "#\n" * 10_000, "TOO_MANY_TOKENS"),
    ("{ ...F0 }" + doubling("Query", "hello"), "TOO_MANY_ROOT_FIELDS"),
    ("{ cars { edges { node { ...F0 } } } }" + doubling("Car", "id"), "TOO_MANY_FIELDS"),
    ("{ cars { edges { node { ...F0 } } } }" + doubling("Car", "n: id"), "TOO_MANY_ALIASES"),
    # Fragments in a chain that is longer than any program could follow.
    (
        "{ node(id: 1) {" + "... on Car { twin { id } }" * 450 + "} }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    ("{ ...F0 }" + chain(1200), "TOO_MANY_DEFINITIONS"),
    (" ".join(f"query Q{n} {{ hello }}" for n in range(251)), "TOO_MANY_DEFINITIONS"),
    ("{ ...A } fragment A on Query { ...A }", "GRAPHQL_VALIDATION_FAILED"),
]


@pytest.mark.parametrize(("document", "code"), TOO_LARGE)
def test_a_document_that_is_too_large_is_refused(document: str, code: str) -> None:
    assert refusal(document)["code"] == code


@pytest.mark.parametrize(
    "document", [document for document, _ in TOO_LARGE], ids=[code for _, code in TOO_LARGE]
)
def test_refusing_takes_no_more_work_than_reading(document: str) -> None:
    # Parsing alone takes about 6 calls a character, comparing fields that repeat up to 40.
    assert calls(lambda: refusal(document)) < 60 * len(document)


def test_the_work_for_doubling_fragments_grows_with_the_text_and_does_not_double() -> None:
    short, long = (
        "{ cars { edges { node { ...F0 } } } }" + doubling("Car", "id", times=times)
        for times in (21, 84)
    )

    work = {text: calls(lambda text=text: refusal(text)) for text in (short, long)}

    assert 850 < len(short) < 950
    assert work[long] / len(long) < 1.2 * work[short] / len(short)


def test_fragments_in_a_chain_longer_than_python_can_follow_are_refused() -> None:
    limits = Limits(definitions=10**9)

    assert refusal("{ ...F0 }" + chain(1200), limits)["code"] == "TOO_DEEP"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        # Each would be repeated in each of the faults that are found in it.
        (f"json: {{ {' '.join(f'a{n}: 1' for n in range(101))} }}", "TOO_MANY_FIELDS"),
        (f"words: [{'1 ' * 101}]", "LIST_TOO_LONG"),
    ],
    ids=["object", "list"],
)
def test_a_value_in_the_document_is_held_to_the_limits_of_variables(value: str, code: str) -> None:
    told = refusal(f"{{ echo({value}) }}", Limits(list_items=100))

    assert told == {"code": code, "requested": 101, "limit": 100}


def test_few_faults_are_told_of_a_large_document() -> None:
    document = f"{{ cars {{ {' '.join(f'no{n}' for n in range(900))} }} }}"

    with pytest.raises(Refused) as refused:
        Documents(SCHEMA._schema, Limits()).read(document)

    assert len(refused.value.errors) <= MAX_ERRORS_OF_LARGE + 1


def test_refusals_say_the_figure_and_the_limit() -> None:
    assert refusal("{ a: hello b: hello c: hello }", Limits(aliases=2)) == {
        "code": "TOO_MANY_ALIASES",
        "requested": 3,
        "limit": 2,
    }


def test_graphiql_can_read_the_schema_within_the_limits() -> None:
    assert price(get_introspection_query(input_value_deprecation=True), limits=Limits()) < 100_000


def test_documents_are_kept_within_their_share_of_memory() -> None:
    documents = Documents(SCHEMA._schema, Limits(cached_characters=2_000))

    for n in range(100):
        documents.read(f"query Name{n} {{ hello }}")

    assert sum(map(len, documents._kept)) == documents._characters <= 2_000
    assert "query Name99 { hello }" in documents._kept
    assert "query Name0 { hello }" not in documents._kept


def test_a_document_is_read_once() -> None:
    documents = Documents(SCHEMA._schema, Limits())

    assert documents.read("{ hello }") is documents.read("{ hello }")


def test_points_run_out_and_the_answer_says_when_to_come_again() -> None:
    client = a_client(Limits(points_per_minute=5))
    document = {"query": "{ cars(first: 1) { edges { node { id } } } }"}

    first = client.post("/graphql", json=document)
    second = client.post("/graphql", json=document)

    assert first.json()["extensions"]["cost"]["remaining"] == 2
    assert second.status_code == 429
    assert 1 <= int(second.headers["Retry-After"]) <= 120
    (error,) = second.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["cost"]["remaining"] == 2


def test_a_refused_request_costs_nothing() -> None:
    client = a_client(Limits(cost=10))
    client.post("/graphql", json={"query": "{ cars { edges { node { id } } } }"})

    answer = client.post("/graphql", json={"query": "{ hello }"}).json()

    assert answer["extensions"]["cost"]["remaining"] == 1_000_000 - 1


@pytest.mark.anyio
async def test_callers_do_not_spend_each_others_points() -> None:
    points = Points(10)
    await points.spend("ana", 10)

    assert (await points.spend("ben", 4)).remaining == 6
    with pytest.raises(Refused):
        await points.spend("ana", 1)


@pytest.mark.anyio
async def test_what_is_left_can_be_asked_without_spending() -> None:
    points = Points(10)
    await points.spend("ana", 4)

    assert [(await points.standing("ana")).remaining for _ in range(3)] == [6, 6, 6]


@pytest.mark.anyio
async def test_points_are_counted_here_while_redis_is_away() -> None:
    counters = Counters("redis://127.0.0.1:1/0")
    points = Points(10, counters)

    with capture_logs() as logs:
        assert (await points.spend("ana", 4)).remaining == 6
        assert (await points.spend("ana", 4)).remaining == 2

    # It is left alone for a while, so that requests do not wait for it one by one.
    assert [entry["event"] for entry in logs] == ["limits_counted_locally"]
    await counters.close()


@pytest.mark.anyio
async def test_processes_count_together_in_redis(redis_url: str) -> None:
    here, there = Counters(redis_url), Counters(redis_url)
    one, other = Points(10, here), Points(10, there)
    await one.spend("ana", 4)

    assert (await other.standing("ana")).remaining == 6
    with pytest.raises(Refused):
        await other.spend("ana", 7)
    assert (await one.spend("ana", 6)).remaining == 0
    await here.close()
    await there.close()


def test_what_no_minute_could_pay_is_refused_for_its_cost() -> None:
    response = a_client(Limits(points_per_minute=5)).post(
        "/graphql", json={"query": "{ cars { edges { node { id } } } }"}
    )

    assert response.json()["errors"][0]["extensions"]["code"] == "COST_EXCEEDED"


@pytest.mark.parametrize(
    ("window", "left", "seconds"),
    [
        (Window(0, 0.0, 0, 60.0), 0, 0),
        (Window(0, 0.0, 10, 30.0), 10, 0),
        # The present minute ends in 30 s and has then to fade by half.
        (Window(0, 0.0, 10, 30.0), 5, 60),
        (Window(0, 0.0, 10, 30.0), 0, 90),
        # Of the minute before 20 count still for 30 s; half of that has to fade.
        (Window(40, 30.0, 0, 30.0), 10, 15),
        (Window(40, 30.0, 10, 30.0), 20, 15),
        (Window(40, 30.0, 10, 30.0), 0, 90),
    ],
)
def test_the_wait_is_as_long_as_the_window_needs_to_slide(
    window: Window, left: int, seconds: int
) -> None:
    assert window.seconds_until(left) == seconds
