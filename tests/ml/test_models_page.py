from pathlib import Path
from typing import Any

from ml import algorithms

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


def rows_of_the_page() -> list[list[str]]:
    """The cells of the table of algorithms, without its head."""
    section = PAGE.partition("## Algorithms\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def rows_of_the_schemas() -> list[list[str]]:
    rows = []
    for name, algorithm in algorithms.BUILT_IN.items():
        rows.append([f"**`{name}`**", "", "", "", algorithm.summary])
        for parameter, schema in algorithm.hyperparameters_schema["properties"].items():
            kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
            default = "null" if schema["default"] is None else str(schema["default"])
            cells = [f"`{parameter}`", " or ".join(kinds), default, range_of(schema)]
            rows.append([*cells, schema["description"]])
    return rows


def range_of(schema: dict[str, Any]) -> str:
    above = schema.get("exclusiveMinimum")
    low = str(schema["minimum"]) if above is None else f"above {above}"
    return f"{low} to {schema['maximum']}"


def test_the_page_lists_every_algorithm_and_hyperparameter_as_its_schema_does() -> None:
    assert rows_of_the_page() == rows_of_the_schemas()
