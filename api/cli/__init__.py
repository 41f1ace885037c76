"""The command `forecourt`: one group of commands a file; refusals become one line and a status."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Final, NoReturn

import typer
from sqlalchemy.exc import OperationalError
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_group

from domain.errors import Refusal, Refusals

COMMANDS: Final = {
    "demo": "demo:demo",
    "serve": "server:serve",
    "worker": "server:worker",
    "migrate": "migrate:migrate",
    "doctor": "doctor:doctor",
    "backup": "backups:backup",
    "restore": "backups:restore",
    "train": "models:train",
    "price": "prices:price",
    "jobs": "jobs:jobs",
    "schema": "shown:schema",
    "settings": "shown:settings",
    "market": "markets:app",
    "key": "keys:app",
    "import": "imports:app",
    "models": "model_versions:app",
    "strategies": "strategies:app",
    "audit": "audit:app",
    "documents": "documents:app",
}
"""What each command is: the module beside this one and the name in it. Each is loaded when it is
asked for, since a key is made without what trains a model."""


class Commands(TyperGroup):
    """The commands by name, each loaded when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the library's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # Whoever mistypes a name is told the nearest one, of them all.
        for name in [cmd_name] if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.add_command(_loaded(name), name)
        return super().get_command(ctx, cmd_name)


def _loaded(name: str) -> Any:
    module, _, attribute = COMMANDS[name].partition(":")
    found = getattr(import_module(f"api.cli.{module}"), attribute)
    alone = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    return get_group(alone).commands[name]


app = typer.Typer(
    name="forecourt", cls=Commands, add_completion=False, pretty_exceptions_enable=False
)


@app.callback(no_args_is_help=True)
def forecourt() -> None:
    """The pricing backend of a used-vehicle seller, as a GraphQL API."""


FAILED = 1
INTERRUPTED = 130
"""What Typer makes of Ctrl-C."""


def main() -> None:
    """Run the command; exit status 0 done, 1 failed, 2 wrong usage."""
    try:
        # Typer itself would draw a box of several lines around what it refuses.
        status = app(prog_name="forecourt", standalone_mode=False)
    except TyperException as wrong:
        _fail(_usage(wrong), wrong.exit_code)
    except (Refusal, Refusals) as refused:
        _fail(str(refused))
    except OperationalError as unavailable:
        _fail(f"The database does not answer: {unavailable.orig}".splitlines()[0])
    if status == INTERRUPTED:
        _fail("Interrupted; run the same command again to go on.")
    sys.exit(status)


def _usage(wrong: TyperException) -> str:
    """What is wrong with the command line, in one line, and where help is."""
    message = " ".join(wrong.format_message().split()).removesuffix(".")
    if not message:
        return ""  # No command was named, and the help is printed already.
    # Typer has pydantic read values, which says by which of its ways it came to know.
    message = message.replace("Value error, ", "")
    command = getattr(getattr(wrong, "ctx", None), "command_path", "forecourt")
    return f"{message}{'' if message.endswith('?') else '.'} See `{command} --help`."


def _fail(message: str, status: int = FAILED) -> NoReturn:
    if message:
        typer.echo(f"forecourt: {message}", err=True)
    sys.exit(status)
