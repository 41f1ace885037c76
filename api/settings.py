"""The settings of an installation: the only place that reads the environment.

Every setting is an environment variable ``FORECOURT_<NAME>``, or a line of a ``.env`` file in the
folder in which the command is started. ``forecourt settings`` prints those in force.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url

from api import role_names
from api.limits import Limits
from domain.database import Patience

_LIMITS = Limits()

SECRET_FILE = "secret.key"  # noqa: S105
"""In the data directory, where no secret is set."""


class LogFormat(StrEnum):
    """How log lines look."""

    CONSOLE = "console"
    JSON = "json"


class Settings(BaseSettings):
    """Typed and frozen; below ``api`` everything gets plain values."""

    model_config = SettingsConfigDict(
        env_prefix="FORECOURT_",
        env_file=".env",
        # Whoever passes settings on has no other way to say that one is absent.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    data_dir: Path = Field(
        default=Path(".forecourt"),
        description="Where an embedded database and the generated secret are kept.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="postgresql://user:password@host/name for a server; "
        "absent: an SQLite file in the data directory.",
    )
    database_pool_size: int = Field(
        default=20, ge=1, le=200, description="Connections, and threads that use them, a process."
    )
    database_statement_timeout_s: float = Field(
        default=20.0, ge=0, description="Of a request's statement on PostgreSQL; 0 for ever."
    )
    database_lock_timeout_s: float = Field(
        default=10.0,
        ge=0,
        description="Of a request's wait on PostgreSQL for what somebody else holds; 0 for ever.",
    )
    database_idle_timeout_s: float = Field(
        default=60.0,
        ge=0,
        description="Of a request's transaction on PostgreSQL in which nothing happens.",
    )
    database_job_timeout_s: float = Field(
        default=900.0, ge=0, description="All three, for jobs and for the command line."
    )
    database_pool_timeout_s: float = Field(
        default=5.0, gt=0, description="Of a request's wait for one of its process's connections."
    )
    database_recycle_s: int = Field(
        default=1800, ge=1, description="Age at which a connection is replaced by a new one."
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Hashes API keys and signs model artifacts: at least 32 characters, the "
        "same on every machine. Absent: made once and kept in the data directory.",
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Shared rate limits; absent: each process counts for itself."
    )
    dask_scheduler: str | None = Field(
        default=None,
        pattern=r"^(tcp|tls)://\S+$",
        description="A Dask cluster that does the parts of large jobs, e.g. tcp://host:8786; "
        "absent: processes of this machine.",
    )
    job_processes: int = Field(
        default_factory=lambda: max((os.cpu_count() or 1) // 2, 1),
        ge=1,
        le=256,
        description="Processes of this machine that do the parts of a large job: half its cores, "
        "since the database needs as much.",
    )
    part_vehicles: int = Field(
        default=50_000,
        ge=1,
        description="Of a repricing of more vehicles on PostgreSQL each part has so many.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern=r"^https://\S+$|^http://(localhost|127\.0\.0\.1)(:\d+)?(/\S*)?$",
        description="Identifier of an OpenID Connect issuer whose tokens are accepted beside keys.",
    )
    oidc_audience: str | None = Field(
        default=None, min_length=1, description="What its tokens for this installation are for."
    )
    oidc_role_claim: str = Field(
        default="roles", description="Path of the claim with the roles, e.g. realm_access.roles."
    )
    oidc_name_claim: str = Field(
        default="sub",
        description="Claim with the caller's name; one person's only, since four eyes counts it.",
    )
    drain_s: float = Field(
        default=0.0,
        ge=0,
        le=60,
        description="How long a process that is told to end answers on while /health/ready says "
        "so: longer than the balancer takes to ask twice.",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses and networks, separated by commas, of the proxies whose word on "
        "where a request comes from is believed (X-Forwarded-For).",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Opens /metrics to a collector, and nothing else; absent: a key with the role "
        "ADMIN does.",
    )
    oidc_role_map: str = Field(
        default="",
        description="What the issuer calls the roles, e.g. pricing-team=PRICING,heads=APPROVER; "
        "or a JSON object. Absent: as Forecourt does.",
    )
    log_format: LogFormat = Field(
        default=LogFormat.CONSOLE, description="`console` for people, `json` for collectors."
    )
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    cors_origins: tuple[str, ...] = Field(
        default=(),
        description="Origins of front ends in a browser, as a JSON list; none by default.",
    )
    graphiql: bool = Field(default=True, description="Whether browsers are shown GraphiQL.")
    trusted_documents_only: bool = Field(
        default=False,
        description="Whether only operations of `forecourt documents add` are answered; GraphiQL "
        "then shows the schema no more.",
    )
    max_body_bytes: int = Field(
        default=_LIMITS.body_bytes, ge=1_000, description="Of a request, or a WebSocket message."
    )
    body_timeout_s: float = Field(
        default=_LIMITS.body_seconds, gt=0, description="How long a client may take to send it."
    )
    max_json_depth: int = Field(default=_LIMITS.json_depth, ge=5, description="Of variables.")
    max_list_items: int = Field(
        default=_LIMITS.list_items, ge=1_000, description="Of any list in variables."
    )
    max_tokens: int = Field(
        default=_LIMITS.tokens, ge=100, description="Words and signs of a GraphQL document."
    )
    max_definitions: int = Field(
        default=_LIMITS.definitions, ge=1, description="Operations and fragments of a document."
    )
    max_depth: int = Field(default=_LIMITS.depth, ge=3, description="Of nested fields.")
    max_aliases: int = Field(
        default=_LIMITS.aliases, ge=1, description="Renamed fields, fragments expanded."
    )
    max_fields: int = Field(
        default=_LIMITS.fields, ge=100, description="Selected fields, fragments expanded."
    )
    max_root_fields: int = Field(
        default=_LIMITS.root_fields, ge=1, description="Of one operation, fragments expanded."
    )
    max_cost: int = Field(
        default=_LIMITS.cost, ge=100, description="Points of a request: one an object returned."
    )
    points_per_minute: int = Field(
        default=_LIMITS.points_per_minute, ge=100, description="Points of one caller."
    )
    assumed_list_size: int = Field(
        default=_LIMITS.list_size,
        ge=1,
        description="Items that a list costs where nothing says how many it can have.",
    )
    request_timeout_s: float = Field(
        default=_LIMITS.request_seconds, gt=0, description="Of an operation, or of one event."
    )
    socket_init_timeout_s: float = Field(
        default=_LIMITS.init_seconds, gt=0, description="Until a WebSocket says who it is."
    )
    heartbeat_s: float = Field(
        default=_LIMITS.heartbeat_seconds, gt=0, description="Between signs of a silent stream."
    )
    max_socket_operations: int = Field(
        default=_LIMITS.socket_operations, ge=1, description="Under way on one WebSocket."
    )
    max_cached_characters: int = Field(
        default=_LIMITS.cached_characters,
        ge=0,
        description="Text of the parsed documents that a process keeps.",
    )
    revision_poll_s: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="How often a process asks whether a champion or strategy has changed.",
    )

    @field_validator("oidc_role_map")
    @classmethod
    def _maps_to_roles(cls, text: str) -> str:
        role_names.parse(text)
        return text

    @model_validator(mode="after")
    def _issuer_has_audience(self) -> Self:
        # Without it a token that the issuer made for any other program would open this one.
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            raise ValueError("OIDC_ISSUER and OIDC_AUDIENCE are set together, or neither.")
        return self

    @property
    def resolved_database_url(self) -> str:
        """The database in use; its password included."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'forecourt.db'}"

    @property
    def is_server(self) -> bool:
        """Whether the database is a server, not a file."""
        return not self.resolved_database_url.startswith("sqlite")

    @property
    def request_patience(self) -> Patience:
        """How long the database may take where a client waits."""
        return Patience(
            statement_s=self.database_statement_timeout_s,
            lock_s=self.database_lock_timeout_s,
            idle_s=self.database_idle_timeout_s,
            connection_s=self.database_pool_timeout_s,
            recycle_s=self.database_recycle_s,
        )

    @property
    def job_patience(self) -> Patience:
        """How long the database may take in jobs and on the command line."""
        longest = self.database_job_timeout_s
        return Patience(longest, longest, longest, recycle_s=self.database_recycle_s)

    @property
    def limits(self) -> Limits:
        """What one request, one connection and one caller may ask for."""
        return Limits(
            body_bytes=self.max_body_bytes,
            body_seconds=self.body_timeout_s,
            json_depth=self.max_json_depth,
            list_items=self.max_list_items,
            tokens=self.max_tokens,
            definitions=self.max_definitions,
            depth=self.max_depth,
            aliases=self.max_aliases,
            fields=self.max_fields,
            root_fields=self.max_root_fields,
            cost=self.max_cost,
            points_per_minute=self.points_per_minute,
            list_size=self.assumed_list_size,
            request_seconds=self.request_timeout_s,
            init_seconds=self.socket_init_timeout_s,
            heartbeat_seconds=self.heartbeat_s,
            socket_operations=self.max_socket_operations,
            cached_characters=self.max_cached_characters,
        )

    @cached_property
    def secret(self) -> bytes:
        """The installation's secret; made and kept in the data directory where none is set.

        Raises:
            ValueError: the secret that is set is too short to protect anything.
        """
        if self.secret_key is not None:
            secret = self.secret_key.get_secret_value().encode()
            if len(secret) < 32:
                raise ValueError("FORECOURT_SECRET_KEY is shorter than 32 characters.")
            return secret
        return _kept_secret(self.data_dir / SECRET_FILE)

    def key_for(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, so that no two uses share one.

        HMAC-SHA256 of the purpose under the secret (the expansion step of RFC 5869).
        """
        return hmac.digest(self.secret, purpose.encode() + b"\x01", hashlib.sha256)

    @property
    def secret_check(self) -> str:
        """What tells this secret from others, e.g. in a backup, and nothing else about it."""
        return self.key_for("backup-check").hex()[:16]

    @property
    def secret_key_bytes(self) -> bytes:
        """What API keys are hashed with."""
        return self.key_for("api-keys")

    @property
    def artifact_key(self) -> bytes:
        """What model artifacts are signed with."""
        return self.key_for("model-artifacts")

    def in_force(self) -> dict[str, str]:
        """Every setting by its variable's name, secrets masked."""
        shown: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name == "database_url":
                text = make_url(self.resolved_database_url).render_as_string(hide_password=True)
            elif isinstance(value, SecretStr):
                text = "********"
            elif value is None:
                text = ""
            else:
                text = ",".join(value) if isinstance(value, tuple) else str(value)
            shown[f"FORECOURT_{name.upper()}"] = text
        return shown


METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of one server share their metrics; its name is Prometheus' client's."""


def shared_metrics_folder() -> Path | None:
    """Where the processes of this server share their metrics; None where one serves alone."""
    folder = os.environ.get(METRICS_FOLDER)
    return Path(folder) if folder else None


@contextlib.contextmanager
def metrics_shared(folder: Path) -> Iterator[None]:
    """Have the processes that this one starts meanwhile share their metrics in a folder."""
    os.environ[METRICS_FOLDER] = str(folder)
    try:
        yield
    finally:
        del os.environ[METRICS_FOLDER]


def unknown_variables() -> set[str]:
    """Variables that look like settings and are none: misspelt, or of an older version."""
    known = {f"FORECOURT_{name.upper()}" for name in Settings.model_fields}
    given = {name.upper() for name in (*os.environ, *DotEnvSettingsSource(Settings).env_vars)}
    ours = {name for name in given if name.startswith("FORECOURT_")}
    return {name for name in ours - known if not name.startswith("FORECOURT_TEST_")}


def traces_are_wanted() -> bool:
    """Whether OpenTelemetry's own variables name a collector of traces, and do not forbid it."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return False
    collectors = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return any(os.environ.get(name) for name in collectors)


def _kept_secret(path: Path) -> bytes:
    """The secret of the data directory; of processes that start at once, the first one makes it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        mine = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)
        mine.unlink()
    return path.read_bytes()
