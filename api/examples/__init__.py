"""An example front end's documents; some of them are the tabs with which GraphiQL opens.

``front-end`` has a folder for each role, one operation a file, and beside it the variables of one
call. In them ``ID_OF_...`` stands for what an earlier answer gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from api.door import Example
from domain.tables import Role

FOLDER: Final = Path(__file__).parent / "front-end"

TABS: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.SALES: (
        "sales/create-quote",
        "sales/predict",
        "sales/match-vehicle",
        "sales/quotes",
        "sales/stock",
        "sales/sales-report",
        "sales/pricing-changed",
    ),
    Role.PRICING: (
        "pricing/active-strategy",
        "pricing/strategies",
        "pricing/create-strategy",
        "pricing/analyse-version",
        "pricing/simulate-version",
        "pricing/job-progress",
        "pricing/simulation",
        "pricing/submit-version",
    ),
    Role.APPROVER: (
        "approver/waiting-for-review",
        "approver/review",
        "approver/approve-version",
        "approver/activate-version",
        "approver/roll-back",
        "approver/audit",
        "sales/pricing-changed",
    ),
    Role.DATA_SCIENCE: (
        "data-science/models",
        "data-science/champion",
        "data-science/train",
        "data-science/training-progress",
        "data-science/predict-with-candidate",
        "data-science/promote-model",
    ),
    Role.ADMIN: ("admin/overview", "admin/who-did-what", "approver/audit", "sales/viewer"),
}


def example(name: str, role: Role) -> Example:
    """A document by its path, as a tab for somebody of a role."""
    document = FOLDER / f"{name}.graphql"
    query = document.read_text(encoding="utf-8")
    variables = document.with_suffix(".json")
    return Example(
        title=query.partition("\n")[0].removeprefix("# "),
        query=query,
        variables=variables.read_text(encoding="utf-8") if variables.exists() else "",
        role=role.value,
    )


EXAMPLES: Final = tuple(example(name, role) for role, names in TABS.items() for name in names)
