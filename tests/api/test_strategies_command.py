from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from domain.errors import Invalid, NotFound
from tests.api.shop import Shop


@pytest.fixture
def command(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(shop.folder))
    return CliRunner()


def ran(command: CliRunner, *arguments: str) -> Result:
    done = command.invoke(app, ["strategies", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def test_versions_are_listed_with_their_status(command: CliRunner) -> None:
    header, version = ran(command, "--market", "FR").stdout.splitlines()

    assert header.split()[:4] == ["MARKET", "STRATEGY", "VERSION", "STATUS"]
    assert version.split()[:6] == ["FR", "House", "rule", "1", "ACTIVE", "pricing"]


def test_what_was_exported_is_imported_as_it_was(command: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    ran(command, "export", "--market", "FR", "--name", "House rule", "-o", str(file))

    again = ran(command, "import", str(file), "--market", "FR", "--by", "ana").stdout
    file.write_text(file.read_text().replace("House rule", "Other rule"))
    other = ran(command, "import", str(file), "--market", "FR", "--by", "ana").stdout

    assert again.startswith("Nothing is new")
    assert other.startswith("Drafted version 1 of Other rule")
    assert again.split(", ")[1] == other.split(", ")[1]


def test_a_version_is_exported_by_its_id(command: CliRunner) -> None:
    listed = ran(command).stdout.split()

    assert 'name = "House rule"' in ran(command, "export", listed[-1]).stdout


def test_a_version_that_is_not_there_is_said_so(command: CliRunner) -> None:
    arguments = ["strategies", "export", "--market", "FR", "--name", "House rule", "--number", "7"]

    with pytest.raises(NotFound, match="no such version"):
        command.invoke(app, arguments, catch_exceptions=False)


def test_what_is_wrong_in_a_file_is_said_with_its_places(
    command: CliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        'name = "Wrong"\n[[rules]]\nkey = "a"\nfactr = 1\n[rules.conditions]\nfuels = ["PETROLL"]\n'
    )
    arguments = ["strategies", "import", str(file), "--market", "FR", "--by", "ana"]

    with pytest.raises(Invalid) as refused:
        command.invoke(app, arguments, catch_exceptions=False)

    assert refused.value.message.startswith(f"{file}: rules.0.factr: There is no field factr here.")
    assert " rules.0.conditions.fuels.0: One of PETROL, " in refused.value.message


@pytest.mark.parametrize(
    "arguments",
    [["export"], ["export", "x", "--market", "FR", "--name", "y"], ["import", "nowhere.toml"]],
)
def test_what_names_no_version_is_wrong_usage(command: CliRunner, arguments: list[str]) -> None:
    assert command.invoke(app, ["strategies", *arguments]).exit_code == 2
