"""A database of its own for one run of the checks, on the PostgreSQL server of the tests.

scratch_database.py create      makes one and prints its URL
scratch_database.py drop URL    removes it again
"""

from __future__ import annotations

import os
import secrets
import sys

import psycopg
from psycopg import sql
from sqlalchemy import make_url


def main(action: str, url: str = "") -> None:
    """Do what the command line says."""
    server = os.environ["FORECOURT_TEST_POSTGRES_URL"]
    name = make_url(url).database if url else f"forecourt_ci_{secrets.token_hex(6)}"
    statement = "CREATE DATABASE {}" if action == "create" else "DROP DATABASE IF EXISTS {}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(str(name))))
    if action == "create":
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
        sys.stdout.write(f"{url}\n")


main(*sys.argv[1:])
