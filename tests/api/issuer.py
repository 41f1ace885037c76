"""A company's single sign-on on this machine: real keys, real signatures, real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.api.garage import a_live_server

AUDIENCE = "forecourt"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def an_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def an_ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class LocalIssuer:
    """Publishes keys and signs tokens; what it does can be changed while it is served."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {"first": an_rsa_key()}
        self.calls = 0
        self.is_away = False
        self.claimed_url: str | None = None
        self.url = ""
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/keys", self._publish),
            ]
        )

    async def _describe(self, _: Request) -> Response:
        self.calls += 1
        if self.is_away:
            return Response(status_code=503)
        return JSONResponse(
            {"issuer": self.claimed_url or self.url, "jwks_uri": f"{self.url}/keys"}
        )

    async def _publish(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._public(name) for name in self.keys]})

    def _public(self, name: str) -> dict[str, Any]:
        key = self.keys[name]
        kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else None
        described = (kind or jwt.algorithms.ECAlgorithm).to_jwk(key.public_key(), as_dict=True)
        return {**described, "kid": name, "use": "sig"}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a good token says; a claim of None is left out."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ana@example.com",
            "roles": ["SALES"],
            "iat": now,
            "exp": now + 300,
        } | changes
        return {name: value for name, value in said.items() if value is not None}

    def token(self, key: str = "first", *, signed_by: Key | None = None, **changes: Any) -> str:
        signer = signed_by or self.keys[key]
        algorithm = "RS256" if isinstance(signer, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(self.claims(**changes), signer, algorithm, headers={"kid": key})


@contextmanager
def a_local_issuer() -> Iterator[LocalIssuer]:
    """An issuer, served on a free port."""
    issuer = LocalIssuer()
    with a_live_server(issuer.app) as url:
        issuer.url = url.removesuffix("/graphql")
        yield issuer
