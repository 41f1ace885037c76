"""What the command line says to who uses it wrongly."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from api import cli


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


Forecourt = Callable[..., Done]


@pytest.fixture
def forecourt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Forecourt:
    """The command, in a folder without anything, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Done:
        monkeypatch.setattr("sys.argv", ["forecourt", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        told = capsys.readouterr()
        return Done(int(end.value.code or 0), told.out, told.err)

    return run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        # A command that is not there.
        (["frob"], "forecourt: No such command 'frob'. See `forecourt --help`."),
        (
            ["serv"],
            "forecourt: No such command 'serv'. Did you mean 'serve'? See `forecourt --help`.",
        ),
        # An argument that lacks, and one too many.
        (["key", "create"], "Missing argument 'name'. See `forecourt key create --help`."),
        (["serve", "now"], "unexpected extra argument(s) (now). See `forecourt serve --help`."),
        # An option that is not there.
        (["serve", "--speed", "9"], "No such option: --speed. See `forecourt serve --help`."),
        # Values that cannot be right; the second names what can.
        (["serve", "--port", "http"], "Invalid value for '--port'"),
        (["key", "create", "Ana", "--role", "BOSS"], "'--role': 'BOSS' is not one of 'SALES',"),
        (["documents", "add", "nowhere"], "dir 'nowhere' does not exist. See `forecourt"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_that_says_where_help_is(
    forecourt: Forecourt, arguments: list[str], told: str
) -> None:
    done = forecourt(*arguments)

    assert (done.status, done.out) == (2, "")
    assert told in done.err
    assert len(done.err.splitlines()) == 1


def test_a_command_that_fails_has_another_status_than_wrong_usage(forecourt: Forecourt) -> None:
    done = forecourt("key", "list")

    assert done.status == 1
    assert done.err.splitlines() == [
        "forecourt: The database is not at the newest revision: run `forecourt migrate`."
    ]


@pytest.mark.parametrize("group", [[], ["key"], ["documents"]], ids=lambda group: " ".join(group))
def test_a_group_alone_shows_its_commands(forecourt: Forecourt, group: list[str]) -> None:
    done = forecourt(*group)

    assert done.status == 2
    assert "Usage: forecourt" in done.out
    assert done.err == ""


def test_help_is_no_mistake(forecourt: Forecourt) -> None:
    done = forecourt("key", "create", "--help")

    assert (done.status, done.err) == (0, "")
    assert "Usage: forecourt key create" in done.out


def test_a_command_loads_what_it_needs_itself() -> None:
    program = "import sys; from api.cli import app; app(['key', '--help'], standalone_mode=False); "

    run = subprocess.run(
        [sys.executable, "-c", program + "print('LOADED', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = run.stdout.partition("LOADED")[2].split()
    assert "api.cli.keys" in loaded
    assert not {"strawberry", "sklearn", "pyarrow", "ml", "api.schema"} & set(loaded)
