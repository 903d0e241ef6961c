"""A small OpenID Connect provider on a port of its own. It stands in for a company's: real HTTP, real signatures.

It logs in whoever ``person`` says, without asking. ``claims`` and ``sign`` let a test make it, or somebody who plays
it, say what a good one never would.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

CLIENT, SECRET = "attune", "the-clients-secret"


@dataclass
class Provider:
    """What it answers, and what it was asked; ``codes``: what each code that is out was asked for with."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"}))
    email: str = "olga@example.org"
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def signed(self, claims: dict[str, Any]) -> str:
        """A token of its own key."""
        return str(jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key))

    def token(self, nonce: str) -> str:
        """The id token of a login."""
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "7", "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce}
        claims |= {"email": self.email, "email_verified": True} | self.claims
        return (self.sign or self.signed)({name: one for name, one in claims.items() if one is not None})

    def app(self) -> Flask:
        """Discovery, keys, login and tokens."""
        app = Flask("oidc_provider")
        app.get("/.well-known/openid-configuration")(self._about)
        app.get("/keys")(lambda: {"keys": [self.key.as_dict(private=False)]})
        app.get("/authorize")(self._authorize)
        app.post("/token")(self._token)
        return app

    def _about(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            # As a careless provider has it: what Attune takes is for Attune to say.
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }

    def _authorize(self) -> Response:
        asked = request.args.to_dict()
        code = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:20]
        self.codes[code] = asked
        return redirect(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    def _token(self) -> Any:
        asked = self.codes.pop(request.form["code"], None)
        if asked is None or request.authorization is None or request.authorization.password != SECRET:
            return {"error": "invalid_grant"}, 400
        verifier = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != asked["code_challenge"]:
            return {"error": "invalid_grant"}, 400
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.token(asked["nonce"])}


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers while the block runs."""
    provider = Provider()
    server = make_server("127.0.0.1", 0, provider.app(), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
