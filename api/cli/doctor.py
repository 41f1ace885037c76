"""`forecourt doctor`: whether an installation is well, and what to mend."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.common import load_settings


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """Examine the installation; says what to mend, and fails where something does not work."""
    from api.doctor import Verdict, examine

    found = []
    for finding in examine(load_settings()):
        found.append(finding)
        if not as_json:
            remedy = f": {finding.remedy}" if finding.remedy else ""
            typer.echo(f"{finding.verdict:5} {finding.about:16} {finding.says}{remedy}")
    has_failed = any(finding.verdict is Verdict.FAIL for finding in found)
    if as_json:
        checks = [asdict(finding) for finding in found]
        typer.echo(json.dumps({"ok": not has_failed, "checks": checks}, indent=2))
    if has_failed:
        raise typer.Exit(1)
