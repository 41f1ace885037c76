import pytest

from api.relay import key_of, parse_id, to_id
from domain.errors import NotFound


@pytest.mark.parametrize(("type_name", "key"), [("Quote", 1), ("StrategyVersion", 2**63 - 1)])
def test_an_id_leads_back_to_its_row(type_name: str, key: int) -> None:
    assert parse_id(to_id(type_name, key)) == (type_name, key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "ünïcode",
        "Quote:1",
        "UXVvdGU6",  # Quote:
        "UXVvdGU6MDE",  # Quote:01
        "UXVvdGU6LTE",  # Quote:-1
        "UXVvdGU6MQ==",  # right, with padding: another spelling
        "UXVvdGU6MR",  # right, with stray bits: another spelling
        "UXVvdGU6_18",  # a key that is no text
        to_id("Quote", 2**63),
        to_id("Quote", 10**40),
        "A" * 100_000,
        "\0",
    ],
)
def test_text_that_is_no_id_of_ours_leads_nowhere(text: str) -> None:
    with pytest.raises(NotFound):
        parse_id(text)


def test_an_id_of_another_type_leads_nowhere_at_its_path() -> None:
    with pytest.raises(NotFound) as refusal:
        key_of(to_id("Market", 1), "Quote", "input", "quote")

    assert refusal.value.path == ("input", "quote")
