import subprocess
import sys
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLSchema, build_schema

from api.schema import schema

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "api" / "schema.graphql"
CHECK = ROOT.parent / "shared" / "checks" / "contract.py"


def test_the_committed_schema_is_the_served_one() -> None:
    assert COMMITTED.read_text() == schema.as_str() + "\n", (
        "the schema has changed: run `forecourt schema > api/schema.graphql` and review the change"
    )


def undescribed(served: GraphQLSchema) -> list[str]:
    missing = []
    for name, kind in served.type_map.items():
        if name.startswith("__") or name in ("Int", "Float", "String", "Boolean", "ID"):
            continue
        missing += [] if kind.description else [name]
        for field_name, field in getattr(kind, "fields", {}).items():
            missing += [] if field.description else [f"{name}.{field_name}"]
            for argument_name, argument in getattr(field, "args", {}).items():
                where = f"{name}.{field_name}({argument_name}:)"
                missing += [] if argument.description else [where]
        if isinstance(kind, GraphQLEnumType):
            missing += [
                f"{name}.{value_name}"
                for value_name, value in kind.values.items()
                if not value.description
            ]
    return missing


def test_everything_in_the_schema_is_described() -> None:
    assert undescribed(build_schema(schema.as_str())) == []


@pytest.mark.skipif(not CHECK.exists(), reason="the front end's contract is not beside the project")
def test_the_schema_keeps_the_contract_with_the_front_end() -> None:
    done = subprocess.run(
        [sys.executable, CHECK, COMMITTED], capture_output=True, text=True, check=False
    )

    breaking = [
        line
        for line in done.stdout.splitlines()
        if line.startswith("breaks: ") and not line.endswith("was removed.")
    ]
    assert breaking == []
