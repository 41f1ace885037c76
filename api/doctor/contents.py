"""What an installation's database holds: models, strategies, jobs, the audit trail, keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from api.doctor.findings import Finding, fail, ok, warn
from api.settings import Settings
from domain import access, activations, audit, markets, models, tables
from domain.access import allows
from domain.audit import FirstBadRow
from domain.database import Database, current_time
from domain.queues import is_served, queues
from domain.tables import JobStatus, Role
from ml import algorithms
from ml.artifact import ArtifactRefused
from ml.loading import load_model


def findings(settings: Settings, database: Database) -> Iterator[Finding]:
    """What was found, market by market, then for all."""
    with database.reading() as session:
        now = current_time(session)
        every = markets.all_markets(session)
        if not every:
            yield warn(
                "markets", "there is none", "forecourt market add FR --name France --currency EUR"
            )
        for market in every:
            yield _champion(session, market, settings.artifact_key)
            yield _strategy(session, market, now)
        yield _queue(session, now)
        yield _audit(session)
        yield _keys(session)


def _champion(session: Session, market: tables.Market, artifact_key: bytes) -> Finding:
    about = f"model {market.code}"
    champions = models.champion_ids(session, [market.id])
    if not champions:
        return warn(
            about,
            "no model was promoted, so nothing is priced",
            f"forecourt train --market {market.code} --promote",
        )
    version = models.get(session, champions[market.id])
    try:
        load_model(session, version.id, artifact_key=artifact_key)
    except ArtifactRefused as refused:
        mend = (
            "restore FORECOURT_SECRET_KEY (or secret.key) of this database"
            if version.algorithm in algorithms.names()
            else f"install the package that offers {version.algorithm}"
        )
        return fail(
            about,
            f"the champion is refused: {refused.reason}",
            f"{mend}; otherwise `forecourt models roll-back --market {market.code}` or train anew",
        )
    return ok(about, f"version {version.number} ({version.algorithm}) loads, its signature holds")


def _strategy(session: Session, market: tables.Market, now: datetime) -> Finding:
    about = f"strategy {market.code}"
    active = activations.in_force(session, market.id, now).active
    if active is None:
        return warn(about, "none is in force, so nothing is quoted", "approve one and activate it")
    return ok(about, f"in force since {active.starts_at:%Y-%m-%d %H:%M} UTC")


def _queue(session: Session, now: datetime) -> Finding:
    found = queues(session, now=now)
    count = {
        status: sum(each.jobs for each in found if each.status is status) for status in JobStatus
    }
    says = f"{count[JobStatus.QUEUED]} waiting, {count[JobStatus.RUNNING]} running"
    if not is_served(session, now=now):
        return fail("queue", f"{says}, and nobody takes them", "start `forecourt worker`")
    return ok("queue", says)


def _audit(session: Session) -> Finding:
    verified = audit.verify(session)
    if isinstance(verified, FirstBadRow):
        return fail(
            "audit trail",
            f"event {verified.id} is {verified.fault}",
            "restore the table audit_event from a backup and look for who wrote to it",
        )
    return ok("audit trail", f"whole ({verified.events} events)")


def _keys(session: Session) -> Finding:
    in_force = [key for key in access.keys(session) if key.revoked_at is None]
    administrators = [
        key
        for key in in_force
        if allows(access.Actor(key.name, frozenset(map(Role, key.roles))), {Role.ADMIN})
    ]
    if not in_force:
        return warn("keys", "nobody has one", "forecourt key create NAME --role SALES")
    return ok("keys", f"{len(in_force)} in force, {len(administrators)} of administrators")
