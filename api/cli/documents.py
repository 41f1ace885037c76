"""`forecourt documents`: the operations of one's own front ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cli import columns
from api.cli.common import BY, load_settings, opened
from api.limits import Limits
from domain import trusted_documents
from domain.errors import Faults
from domain.trusted_documents import Document

app = typer.Typer(
    no_args_is_help=True,
    help="Operations that the server knows by their hash; with "
    "FORECOURT_TRUSTED_DOCUMENTS_ONLY it answers no other.",
)

SUFFIXES = (".graphql", ".gql")


@app.command()
def add(
    directory: Annotated[
        Path,
        typer.Argument(
            exists=True,
            file_okay=False,
            help="With one operation a file (.graphql), to the letter as clients send it.",
        ),
    ],
) -> None:
    """Register the operations of a folder and those below it; all of them, or none."""
    documents = _read(directory, load_settings().limits)
    with opened() as installation, installation.database.unit_of_work() as session:
        added = trusted_documents.add(session, documents, by=BY, now=datetime.now(UTC))
        for document in documents:
            typer.echo(f"{document.hash}  {document.name}")
    known = len(documents) - len(added)
    typer.echo(f"Registered {len(added)}; known before: {known}.", err=True)


@app.command("list")
def list_documents() -> None:
    """List what is registered."""
    with opened() as installation, installation.database.reading() as session:
        columns.show(
            ("HASH", "NAME", "ADDED BY", "ADDED"),
            [
                (row.hash, row.name, row.added_by, columns.minute(row.added_at))
                for row in trusted_documents.listed(session)
            ],
        )


@app.command()
def remove(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="HASH|NAME...",
            help="As `forecourt documents list` shows them; a name means all of that name.",
        ),
    ],
) -> None:
    """Take operations back, in all processes at once: who still sends them is refused."""
    with opened() as installation, installation.database.unit_of_work() as session:
        removed = trusted_documents.remove(session, named, by=BY, now=datetime.now(UTC))
        for document in removed:
            typer.echo(f"{document.hash}  {document.name}")
    typer.echo(f"Removed {len(removed)}.", err=True)


def _read(directory: Path, limits: Limits) -> list[Document]:
    """The operations of the files in a folder.

    Raises:
        Refusals: says of each file that the server would not answer why not.
    """
    # Only this command needs the schema, which takes a second to build.
    from api.door.documents import Documents
    from api.door.refused import Refused
    from api.schema import schema

    reader = Documents(schema._schema, limits)
    documents, faults = [], Faults()
    for path in sorted(path for path in directory.rglob("*") if path.suffix in SUFFIXES):
        try:
            text = path.read_bytes().decode()
            operations = list(reader.read(text))
        except UnicodeDecodeError:
            faults.invalid(f"{path} is not UTF-8.")
        except Refused as refusal:
            faults.invalid(f"{path}: {refusal}")
        else:
            if len(operations) != 1:
                faults.invalid(f"{path} has {len(operations)} operations: put one in a file.")
            documents += [Document(name or path.stem, text) for name in operations]
    if not documents and not faults.found:
        faults.invalid(f"{directory} has no file that ends in {' or '.join(SUFFIXES)}.")
    faults.raise_if_any()
    return documents
