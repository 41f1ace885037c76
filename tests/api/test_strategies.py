from typing import Any

import pytest

from domain.tables import Role
from tests.api.shop import Shop

DEFAULT = {"key": "default", "conditions": {}}
CROSSING = [
    {"key": "peugeot", "conditions": {"brands": ["Peugeot"]}},
    {"key": "petrol", "conditions": {"fuels": ["PETROL"]}},
    DEFAULT,
]

VERSION = "version { id number status contentHash author } userErrors { code message field }"


def change(
    shop: Shop, name: str, input: dict[str, Any], *, role: Role, answer: str = VERSION
) -> dict[str, Any]:
    """The payload of a mutation with one input."""
    type_name = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {type_name}!) {{ {name}(input: $input) {{ {answer} }} }}"
    payload: dict[str, Any] = shop.data(document, {"input": input}, role=role)[name]
    return payload


def a_draft(shop: Shop, rules: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Version 1 of a new strategy."""
    payload = change(
        shop,
        "createStrategy",
        {"market": "FR", "name": "Spring", "content": {"rules": rules or [DEFAULT]}},
        role=Role.PRICING,
        answer="strategy { id latest { id contentHash strategy { id } } } userErrors { code }",
    )
    version: dict[str, Any] = payload["strategy"]["latest"]
    return version


def simulated(shop: Shop, version: str, **how: Any) -> dict[str, Any]:
    """A simulation that has run."""
    payload = change(
        shop,
        "simulateStrategy",
        {"version": version} | how,
        role=Role.PRICING,
        answer="simulation { id run { id } } userErrors { code field }",
    )
    shop.work_off_jobs()
    assert payload["userErrors"] == []
    simulation: dict[str, Any] = payload["simulation"]
    return simulation


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def test_a_new_draft_counts_up(shop: Shop) -> None:
    strategy = a_draft(shop)["strategy"]["id"]

    payload = change(
        shop,
        "draftStrategyVersion",
        {"strategy": strategy, "content": {"rules": [DEFAULT]}},
        role=Role.PRICING,
    )

    assert payload["version"]["number"] == 2
    assert (payload["version"]["status"], payload["version"]["author"]) == ("DRAFT", "pricing")


def test_an_edit_of_another_content_than_was_seen_is_a_conflict(shop: Shop) -> None:
    version = a_draft(shop)["id"]

    payload = change(
        shop,
        "editStrategyVersion",
        {"version": version, "expectedHash": "0" * 64, "content": {"rules": [DEFAULT]}},
        role=Role.PRICING,
    )

    assert payload["version"] is None
    assert codes(payload) == [("CONFLICT", ["expectedHash"])]


def test_every_fault_of_a_content_is_told_at_its_place(shop: Shop) -> None:
    version = a_draft(shop)
    rules = [DEFAULT | {"factor": "0"}, DEFAULT | {"amount": "0.001"}]

    payload = change(
        shop,
        "editStrategyVersion",
        {
            "version": version["id"],
            "expectedHash": version["contentHash"],
            "content": {"rules": rules, "rounding": {"step": "0"}},
        },
        role=Role.PRICING,
    )

    found = {".".join(field or []) for code, field in codes(payload) if code == "INVALID"}
    assert {"content.rules.0.factor", "content.rules.1.amount", "content.rounding.step"} <= found


def test_rules_that_cross_are_not_submitted(shop: Shop) -> None:
    version = a_draft(shop, CROSSING)["id"]

    payload = change(shop, "submitStrategyVersion", {"version": version}, role=Role.PRICING)

    assert codes(payload) == [("NOT_SUBMITTABLE", ["version"])]


def test_nobody_approves_without_a_simulation(shop: Shop) -> None:
    version = a_draft(shop)["id"]
    change(shop, "submitStrategyVersion", {"version": version}, role=Role.PRICING)

    payload = change(shop, "approveStrategyVersion", {"version": version}, role=Role.APPROVER)

    assert codes(payload) == [("SIMULATION_REQUIRED", ["version"])]


def test_an_administrator_does_not_approve_their_own_work(shop: Shop) -> None:
    payload = change(
        shop,
        "createStrategy",
        {"market": "FR", "name": "Mine", "content": {"rules": [DEFAULT]}},
        role=Role.ADMIN,
        answer="strategy { latest { id } } userErrors { code }",
    )
    version = payload["strategy"]["latest"]["id"]
    simulated(shop, version)
    change(shop, "submitStrategyVersion", {"version": version}, role=Role.ADMIN)

    payload = change(shop, "approveStrategyVersion", {"version": version}, role=Role.ADMIN)

    assert codes(payload) == [("FOUR_EYES", ["version"])]


def test_a_version_that_was_sent_back_can_be_drafted_again(shop: Shop) -> None:
    version = a_draft(shop)["id"]
    change(shop, "submitStrategyVersion", {"version": version}, role=Role.PRICING)

    payload = change(
        shop, "rejectStrategyVersion", {"version": version, "comment": "No."}, role=Role.APPROVER
    )

    assert payload["version"]["status"] == "REJECTED"


def test_a_version_that_was_taken_back_gets_no_verdict(shop: Shop) -> None:
    version = a_draft(shop)["id"]
    change(shop, "submitStrategyVersion", {"version": version}, role=Role.PRICING)
    change(shop, "withdrawStrategyVersion", {"version": version}, role=Role.PRICING)

    payload = change(
        shop, "rejectStrategyVersion", {"version": version, "comment": "No."}, role=Role.APPROVER
    )

    assert codes(payload) == [("INVALID_STATE", ["version"])]


def test_there_is_nothing_to_go_back_to_before_the_first_activation(shop: Shop) -> None:
    payload = change(
        shop, "rollBackStrategy", {"market": "FR", "reason": "Wrong."}, role=Role.APPROVER
    )

    assert codes(payload) == [("INVALID_STATE", None)]


@pytest.mark.parametrize(
    ("name", "input", "role"),
    [
        ("draftStrategyVersion", {"strategy": "x", "content": {"rules": []}}, Role.APPROVER),
        (
            "editStrategyVersion",
            {"version": "x", "expectedHash": "", "content": {"rules": []}},
            Role.SALES,
        ),
        ("submitStrategyVersion", {"version": "x"}, Role.APPROVER),
        ("withdrawStrategyVersion", {"version": "x"}, Role.DATA_SCIENCE),
        ("approveStrategyVersion", {"version": "x"}, Role.PRICING),
        ("rejectStrategyVersion", {"version": "x", "comment": ""}, Role.PRICING),
        ("activateStrategyVersion", {"version": "x"}, Role.PRICING),
        ("rollBackStrategy", {"market": "FR", "reason": ""}, Role.PRICING),
    ],
)
def test_each_step_needs_its_role(shop: Shop, name: str, input: dict[str, Any], role: Role) -> None:
    forbidden = change(shop, name, input, role=role)
    allowed = change(shop, name, input, role=Role.ADMIN)

    assert codes(forbidden) == [("FORBIDDEN", None)]
    assert "FORBIDDEN" not in [code for code, _ in codes(allowed)]


@pytest.mark.parametrize("id", ["", "x", "U3RyYXRlZ3k6MQ", "U3RyYXRlZ3lWZXJzaW9uOjk5"])
def test_an_id_of_something_else_or_of_nothing_is_not_found(shop: Shop, id: str) -> None:
    payload = change(shop, "submitStrategyVersion", {"version": id}, role=Role.PRICING)

    assert codes(payload) == [("NOT_FOUND", ["version"])]


def test_the_difference_to_nothing_is_not_found(shop: Shop) -> None:
    version = a_draft(shop)["id"]

    document = """
    query ($id: ID!) { node(id: $id) { ... on StrategyVersion { diff(other: "x") { fuel } } } }
    """

    body = shop.ask(document, {"id": version})

    assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]


def test_the_stock_is_simulated_as_a_job(shop: Shop) -> None:
    simulation = simulated(shop, a_draft(shop)["id"])

    found = shop.data(
        """
        query ($id: ID!) {
          node(id: $id) {
            ... on Simulation {
              baseline { id }
              filtered
              model { number }
              run { status simulation { id } }
              summary { vehicles unpriced raised lowered unchanged valueBefore { currency } }
              groups(by: FUEL) { vehicles }
              movers(first: 3) { change after { amount } steps { after { amount } } }
            }
          }
        }
        """,
        {"id": simulation["id"]},
    )["node"]

    summary = found["summary"]
    assert (found["baseline"], found["filtered"], found["model"]["number"]) == (None, False, 1)
    assert found["run"] == {"status": "SUCCEEDED", "simulation": {"id": simulation["id"]}}
    assert summary["vehicles"] == 30
    moved = summary["raised"] + summary["lowered"] + summary["unchanged"]
    assert moved + summary["unpriced"] == 30
    assert sum(group["vehicles"] for group in found["groups"]) == moved
    assert all(each["steps"][-1]["after"] == each["after"] for each in found["movers"])
    sizes = [abs(each["change"]) for each in found["movers"]]
    assert sizes == sorted(sizes, reverse=True)


def test_a_simulation_against_a_version_and_a_part_of_the_stock(shop: Shop) -> None:
    active = shop.data('{ market(code: "FR") { activeStrategy { id } } }')["market"]
    simulation = simulated(
        shop,
        active["activeStrategy"]["id"],
        baseline=active["activeStrategy"]["id"],
        filter={"fuels": ["DIESEL"]},
    )

    found = shop.data(
        """
        query ($id: ID!) {
          node(id: $id) {
            ... on Simulation {
              baseline { id }
              filtered
              summary { raised lowered meanChange }
              groups(by: FUEL) { key }
            }
          }
        }
        """,
        {"id": simulation["id"]},
    )["node"]

    assert found["baseline"] == active["activeStrategy"]
    assert found["summary"] == {"raised": 0, "lowered": 0, "meanChange": 0.0}
    assert (found["filtered"], found["groups"]) == (True, [{"key": ["DIESEL"]}])


def test_a_reviewer_sees_what_an_approval_would_rest_on(shop: Shop) -> None:
    draft = a_draft(shop)
    document = """
    query ($id: ID!) {
      node(id: $id) {
        ... on StrategyVersion { simulation { id narrowedTo summary { vehicles } } }
      }
    }
    """
    before = shop.data(document, {"id": draft["id"]}, role=Role.APPROVER)["node"]["simulation"]
    simulated(shop, draft["id"])
    partial = simulated(shop, draft["id"], filter={"fuels": ["DIESEL"], "doors": 99})

    found = shop.data(document, {"id": draft["id"]}, role=Role.APPROVER)["node"]["simulation"]
    edited = change(
        shop,
        "editStrategyVersion",
        {
            "version": draft["id"],
            "expectedHash": draft["contentHash"],
            "content": {"rules": [DEFAULT | {"factor": "0.9"}]},
        },
        role=Role.PRICING,
        answer="version { simulation { id } } userErrors { code }",
    )

    assert before is None
    assert found["id"] == partial["id"]
    assert (found["narrowedTo"], found["summary"]) == (["fuel diesel", "doors 99"], {"vehicles": 0})
    assert edited["version"] == {"simulation": None}


def test_an_unknown_market_in_a_filter_is_told_at_its_place(shop: Shop) -> None:
    payload = change(
        shop,
        "simulateStrategy",
        {"version": a_draft(shop)["id"], "filter": {"market": "XX"}},
        role=Role.PRICING,
        answer="simulation { id } userErrors { code field }",
    )

    assert codes(payload) == [("NOT_FOUND", ["filter", "market"])]
