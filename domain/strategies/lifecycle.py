"""The life of a strategy version: drafted, edited, submitted, and approved or sent back."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, func, select

from domain import audit, simulations, tables
from domain.errors import (
    Conflict,
    Faults,
    FourEyes,
    InvalidState,
    NotFound,
    NotSubmittable,
    Refusals,
    SimulationRequired,
)
from domain.pricing.analysis import Analysis
from domain.pricing.content import StrategyContent
from domain.pricing.documents import content_hash, to_document
from domain.pricing.validation import checked
from domain.strategies.reading import analysis
from domain.tables import StoredStatus, Verdict

NAME_MAX_LENGTH = 100
DESCRIPTION_MAX_LENGTH = 2_000
COMMENT_MAX_LENGTH = 2_000


def create(
    session: Session,
    *,
    market: tables.Market,
    name: str,
    description: str | None,
    content: StrategyContent,
    by: str,
    now: datetime,
) -> tables.Strategy:
    """A new strategy with its version 1, a draft.

    Raises:
        Refusals: name, description or content cannot be right; every fault at its path.
        Conflict: the market has a strategy of that name.
    """
    content = _checked_input(name, description, content)
    strategy = tables.Strategy(
        market_id=market.id,
        name=name.strip(),
        description=description,
        created_by=by,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(strategy)
    except IntegrityError:
        raise Conflict(
            f"Market {market.code} has a strategy {name.strip()} already: draft a version of it.",
            path=("name",),
        ) from None
    version = _add_version(session, strategy, 1, content, by=by, now=now)
    _note(session, version, "strategy.created", by=by, now=now, name=strategy.name)
    return strategy


def draft(
    session: Session, strategy_id: int, content: StrategyContent, *, by: str, now: datetime
) -> tables.StrategyVersion:
    """A new draft version of a strategy, numbered one above the newest.

    Raises:
        NotFound: no such strategy.
        Refusals: the content cannot be right.
    """
    # Locked, so that two drafts at once get two numbers.
    strategy = session.get(tables.Strategy, strategy_id, with_for_update=True)
    if strategy is None:
        raise NotFound("There is no such strategy.", path=("strategy",))
    content = _checked_content(content)
    newest = session.exec(
        select(func.max(tables.StrategyVersion.number)).where(
            tables.StrategyVersion.strategy_id == strategy_id
        )
    ).one()
    version = _add_version(session, strategy, (newest or 0) + 1, content, by=by, now=now)
    _note(session, version, "strategy.drafted", by=by, now=now)
    return version


def edit(
    session: Session,
    version_id: int,
    expected_hash: str,
    content: StrategyContent,
    *,
    by: str,
    now: datetime,
) -> tables.StrategyVersion:
    """Replace the content of a draft; whoever does so counts as an author of it.

    Args:
        expected_hash: of the content that was edited.

    Raises:
        NotFound: no such version.
        InvalidState: it is no draft any more.
        Conflict: somebody else has edited it meanwhile.
        Refusals: the content cannot be right.
    """
    version = _locked(session, version_id)
    _expect(version, StoredStatus.DRAFT, "be edited: draft a new version")
    if version.content_hash != expected_hash:
        raise Conflict(
            "This draft has been edited since you opened it: read it again.", path=("expectedHash",)
        )
    content = _checked_content(content)
    version.content = to_document(content)
    version.content_hash = content_hash(content)
    if by not in version.editors:
        version.editors = [*version.editors, by]
    _note(session, version, "strategy.edited", by=by, now=now, previousHash=expected_hash)
    return version


def submit(session: Session, version_id: int, *, by: str, now: datetime) -> tables.StrategyVersion:
    """Freeze a draft for review.

    Raises:
        NotFound: no such version.
        InvalidState: it is no draft.
        Refusals: a ``NotSubmittable`` for each fault that its analysis finds.
    """
    version = _locked(session, version_id)
    _expect(version, StoredStatus.DRAFT, "be submitted")
    strategy = session.get_one(tables.Strategy, version.strategy_id)
    found = analysis(session, version, market_id=strategy.market_id)
    if not found.submittable:
        raise Refusals([NotSubmittable(fault, path=("version",)) for fault in _in_words(found)])
    return _move(session, version, StoredStatus.SUBMITTED, "strategy.submitted", by=by, now=now)


def withdraw(
    session: Session, version_id: int, *, by: str, now: datetime
) -> tables.StrategyVersion:
    """Take a version back before a verdict.

    Raises:
        NotFound: no such version.
        InvalidState: it does not wait for a verdict.
    """
    version = _locked(session, version_id)
    _expect(version, StoredStatus.SUBMITTED, "be withdrawn")
    return _move(session, version, StoredStatus.WITHDRAWN, "strategy.withdrawn", by=by, now=now)


def approve(
    session: Session,
    version_id: int,
    *,
    by: str,
    now: datetime,
    comment: str | None = None,
) -> tables.StrategyVersion:
    """Approve the very content that the version has now.

    Raises:
        NotFound: no such version.
        Refusals: the comment is too long.
        InvalidState: it does not wait for a verdict.
        FourEyes: the reviewer has edited it.
        SimulationRequired: nobody has seen what it would do.
    """
    _check_comment(comment, required=False)
    version = _locked(session, version_id)
    _expect(version, StoredStatus.SUBMITTED, "be approved")
    if by in (version.author, *version.editors):
        raise FourEyes(
            "You have edited this version: somebody who has not must approve it.",
            path=("version",),
        )
    if simulations.newest_succeeded(session, version) is None:
        raise SimulationRequired(
            "No simulation of this content has succeeded: simulate it first.", path=("version",)
        )
    return _review(session, version, Verdict.APPROVED, comment, by=by, now=now)


def reject(
    session: Session, version_id: int, *, comment: str, by: str, now: datetime
) -> tables.StrategyVersion:
    """Send a version back; its content can be drafted again.

    Raises:
        NotFound: no such version.
        Refusals: no comment says why.
        InvalidState: it does not wait for a verdict.
    """
    _check_comment(comment, required=True)
    version = _locked(session, version_id)
    _expect(version, StoredStatus.SUBMITTED, "be rejected")
    return _review(session, version, Verdict.REJECTED, comment, by=by, now=now)


def _checked_input(name: str, description: str | None, content: StrategyContent) -> StrategyContent:
    """The content, tidied, where nothing of the input is wrong."""
    faults = Faults()
    if not 0 < len(name.strip()) <= NAME_MAX_LENGTH or _has_control_characters(name):
        faults.invalid(f"A strategy's name has 1 to {NAME_MAX_LENGTH} printable letters.", "name")
    if description is not None and len(description) > DESCRIPTION_MAX_LENGTH:
        faults.invalid(
            f"The description is longer than {DESCRIPTION_MAX_LENGTH} characters.", "description"
        )
    try:
        content = _checked_content(content)
    except Refusals as refusals:
        faults.add(refusals)
    faults.raise_if_any()
    return content


def _checked_content(content: StrategyContent) -> StrategyContent:
    try:
        return checked(content)
    except Refusals as refusals:
        raise Refusals([fault.under("content") for fault in refusals.refusals]) from None


def _check_comment(comment: str | None, *, required: bool) -> None:
    faults = Faults()
    if required and not (comment or "").strip():
        faults.invalid("Say what has to change.", "comment")
    elif comment is not None and len(comment) > COMMENT_MAX_LENGTH:
        faults.invalid(f"The comment is longer than {COMMENT_MAX_LENGTH} characters.", "comment")
    faults.raise_if_any()


def _has_control_characters(text: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _locked(session: Session, version_id: int) -> tables.StrategyVersion:
    """The version as it is now, locked: of two who change it at once, one waits and then sees."""
    version = session.get(
        tables.StrategyVersion, version_id, with_for_update=True, populate_existing=True
    )
    if version is None:
        raise NotFound("There is no such strategy version.", path=("version",))
    return version


def _expect(version: tables.StrategyVersion, wanted: StoredStatus, deed: str) -> None:
    if version.status is not wanted:
        raise InvalidState(
            f"Version {version.number} is {version.status.value}: "
            f"only a {wanted.value} one can {deed}.",
            path=("version",),
        )


def _in_words(found: Analysis) -> list[str]:
    clashes = [
        f"Rules {' and '.join(ambiguity.rule_keys)} both hit, e.g., {ambiguity.example}. "
        f"{ambiguity.advice}"
        for ambiguity in found.ambiguities
    ]
    if found.further_ambiguities:
        clashes.append(f"{found.further_ambiguities} further pairs of rules clash as well.")
    dead = [f"Rule {each.rule_key} can never win. {each.reason}" for each in found.unreachable]
    return clashes + dead


def _add_version(
    session: Session,
    strategy: tables.Strategy,
    number: int,
    content: StrategyContent,
    *,
    by: str,
    now: datetime,
) -> tables.StrategyVersion:
    version = tables.StrategyVersion(
        strategy_id=strategy.id,
        number=number,
        status=StoredStatus.DRAFT,
        content=to_document(content),
        content_hash=content_hash(content),
        author=by,
        editors=[by],
        created_at=now,
    )
    session.add(version)
    session.flush()
    return version


def _review(
    session: Session,
    version: tables.StrategyVersion,
    verdict: Verdict,
    comment: str | None,
    *,
    by: str,
    now: datetime,
) -> tables.StrategyVersion:
    seen = simulations.newest_succeeded(session, version)
    session.add(
        tables.StrategyReview(
            version_id=version.id,
            reviewer=by,
            verdict=verdict,
            comment=comment,
            content_hash=version.content_hash,
            simulation_id=None if seen is None else seen.id,
            at=now,
        )
    )
    action = f"strategy.{verdict.value.lower()}"
    return _move(session, version, StoredStatus(verdict.value), action, by=by, now=now)


def _move(
    session: Session,
    version: tables.StrategyVersion,
    status: StoredStatus,
    action: str,
    *,
    by: str,
    now: datetime,
) -> tables.StrategyVersion:
    version.status = status
    _note(session, version, action, by=by, now=now)
    return version


def _note(
    session: Session,
    version: tables.StrategyVersion,
    action: str,
    *,
    by: str,
    now: datetime,
    **detail: str,
) -> None:
    """Write the change to the database, and then to the audit trail."""
    session.flush()
    audit.record(
        session,
        actor=by,
        action=action,
        subject=("StrategyVersion", version.id),
        detail={"number": version.number, "contentHash": version.content_hash, **detail},
        now=now,
    )
