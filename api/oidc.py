"""OpenID Connect: callers who sign in at their company and bring a token instead of a key.

The token is a JWT of the configured issuer for the configured audience, signed with one of the keys
that the issuer publishes (OpenID Connect Discovery 1.0, RFC 7517, RFC 7519). What a token says is
believed only after its signature, and no token says how it wants to be checked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
import jwt
import structlog

from api.door import refused
from api.role_names import RoleNames
from domain.access import MAX_NAME_LENGTH, Actor
from domain.tables import Role

log = structlog.get_logger(__name__)

ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures that only the issuer can make: a shared secret (HS256) or none is never accepted."""
LEEWAY_S: Final = 30
"""By so much the issuer's clock may be off."""
MAX_TOKEN_LENGTH: Final = 16_384
FETCH_TIMEOUT_S: Final = 5.0
KEPT_FOR_S: Final = 3600.0
"""After so long the issuer's keys are read again: one that it has withdrawn signs nothing more."""
PAUSE_S: Final = 30.0
"""Between two readings: invented key ids cannot make us call the issuer all the time."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are good, and where in them a caller's name and roles are.

    Attributes:
        url: the issuer's identifier, to the letter as in its tokens.
        audience: what its tokens for this installation are for.
        role_claim: path of the claim with the roles, e.g. ``roles`` or ``realm_access.roles``.
        name_claim: a claim that the issuer gives to one person only; four eyes counts these names.
        role_names: what the issuer calls the roles; Forecourt's own names, in any case, without.
    """

    url: str
    audience: str
    role_claim: str = "roles"
    name_claim: str = "sub"
    role_names: RoleNames = field(default_factory=dict)

    def roles(self, claim: Any) -> frozenset[Role]:
        """The roles in a claim, a list or words; what names none of ours is somebody else's."""
        words = [claim, *claim.split()] if isinstance(claim, str) else claim
        return frozenset(
            role
            for word in (words if isinstance(words, list) else ())
            if isinstance(word, str)
            for role in self._named(word)
        )

    def _named(self, word: str) -> Collection[Role]:
        # With names of its own, an `admin` of the company's directory is not yet one of prices.
        if self.role_names:
            return self.role_names.get(word, ())
        return [role for role in Role if role.value == word.upper()]


class Tokens:
    """Finds the caller behind a token.

    Args:
        clock: seconds that never go back; by them keys grow old.
    """

    def __init__(self, issuer: Issuer, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self._keys = IssuerKeys(issuer.url, clock=clock)

    async def caller(self, token: str) -> Actor | None:
        """Who the token was made for; None where it is not good, or has no role of ours.

        Raises:
            Refused: the issuer's keys cannot be read, so nothing can be said of it.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                return None
            key = await self._keys.find(header.get("kid"))
            return None if key is None else self._actor(self._claims(token, key))
        except (jwt.InvalidTokenError, RecursionError) as fault:
            log.info("token_refused", reason=str(fault))
            return None

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            # The key's own, not the token's: a public key is never taken for a secret.
            algorithms=[key.algorithm_name],
            audience=self.issuer.audience,
            issuer=self.issuer.url,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iss", "aud"]},
        )

    def _actor(self, claims: Mapping[str, Any]) -> Actor | None:
        name = claims.get(self.issuer.name_claim)
        roles = self.issuer.roles(_at(claims, self.issuer.role_claim))
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_LENGTH:
            log.warning("token_without_name", claim=self.issuer.name_claim)
            return None
        if not name.isprintable() or not roles:
            return None
        return Actor(name, roles)


class IssuerKeys:
    """The keys that an issuer publishes, read when they are first needed and now and then."""

    def __init__(self, url: str, *, clock: Callable[[], float]) -> None:
        self._url = url
        self._clock = clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def find(self, key_id: object) -> jwt.PyJWK | None:
        """The key of an id; None where the issuer has no such key.

        Raises:
            Refused: no keys have been read yet, and the issuer does not answer.
        """
        if key_id is not None and not isinstance(key_id, str):
            return None
        if self._is_due(key_id):
            self._begin_reading()
        # Whoever has a key already does not wait for the issuer: it may be slow, or away.
        if self._reading and key_id not in self._keys:
            await asyncio.shield(self._reading)
        if self._read_at is None:
            raise refused(
                503,
                "AUTHENTICATION_UNAVAILABLE",
                "The issuer of tokens does not answer: try again in a moment, or use a key.",
                headers={"Retry-After": str(int(PAUSE_S))},
            )
        return self._keys.get(key_id)

    def _is_due(self, key_id: str | None) -> bool:
        is_old = self._read_at is None or self._clock() - self._read_at > KEPT_FOR_S
        has_paused = self._tried_at is None or self._clock() - self._tried_at > PAUSE_S
        return has_paused and (is_old or key_id not in self._keys)

    def _begin_reading(self) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        self._tried_at = self._clock()
        try:
            self._keys = _usable(await self._published())
        except (httpx2.HTTPError, ValueError) as fault:
            # The keys read before stay good meanwhile: an issuer may be away for a while.
            log.warning("issuer_keys_not_read", issuer=self._url, reason=str(fault))
            return
        self._read_at = self._clock()

    async def _published(self) -> Any:
        async with httpx2.AsyncClient(timeout=FETCH_TIMEOUT_S) as client:
            answer = await client.get(f"{self._url.rstrip('/')}/.well-known/openid-configuration")
            described = answer.raise_for_status().json()
            if not isinstance(described, dict) or described.get("issuer") != self._url:
                raise ValueError("the discovery document is another issuer's")
            answer = await client.get(str(described.get("jwks_uri")))
            return answer.raise_for_status().json()


def _usable(published: Any) -> dict[str | None, jwt.PyJWK]:
    """The keys for signatures of the kinds accepted, by their ids.

    A token may leave the id out where there is only one key.

    Raises:
        ValueError: there is none.
    """
    keys: dict[str | None, jwt.PyJWK] = {}
    listed = published.get("keys") if isinstance(published, dict) else None
    for each in listed if isinstance(listed, list) else ():
        try:
            key = jwt.PyJWK(each)
        except (jwt.PyJWTError, AttributeError, TypeError):
            continue  # of a kind that is not known here
        if key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig"):
            keys[key.key_id] = key
    if not keys:
        raise ValueError("the issuer publishes no key for RS256 or ES256")
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of this very name (some are URLs), or the one at a path of names with dots."""
    found: Any = claims
    for name in (path,) if path in claims else path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
