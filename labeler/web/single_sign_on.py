"""Log in by a company's OpenID Connect provider: Authlib does the code flow with PKCE, state and nonce.

Who may come in is decided here: an address that the provider says is verified, and that has an open login already. The
role is the login's own; nothing that the provider says changes it.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError

from attune.labeler.settings import Settings
from attune.models.errors import AccessError, SettingsError

log = logging.getLogger("attune.web")
NAME = "oidc"
WAY_BACK = "/login/single/back"
SECONDS = 10
# Signatures by the provider's own key. Never "none", nor one by a secret that we have as well.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


def is_set_up(settings: Settings) -> bool:
    """Whether people can log in by a provider."""
    return settings.oidc_issuer is not None


def init_app(app: Flask, settings: Settings) -> None:
    """Make the client. Raises SettingsError where settings are missing, or the secret can be read by others."""
    app.jinja_env.globals["single_sign_on"] = is_set_up(settings)
    app.jinja_env.globals["passwords"] = settings.passwords
    if settings.oidc_issuer is None:
        if not settings.passwords:
            raise SettingsError(
                "ATTUNE_PASSWORDS is no, but ATTUNE_OIDC_ISSUER is not set: nobody could log in. Set the issuer, or "
                "allow passwords."
            )
        return
    if not settings.oidc_client_id or settings.oidc_secret_file is None:
        raise SettingsError(
            "ATTUNE_OIDC_ISSUER is set, so ATTUNE_OIDC_CLIENT_ID and ATTUNE_OIDC_SECRET_FILE must be, too."
        )
    parts = urlsplit(settings.oidc_issuer)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise SettingsError(
            f"ATTUNE_OIDC_ISSUER is {settings.oidc_issuer}. It must be an https URL: over http anybody on the way "
            "could play the provider."
        )
    oauth = OAuth(app)
    app.extensions[NAME] = oauth.register(
        NAME,
        client_id=settings.oidc_client_id,
        client_secret=_secret(settings),
        server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email", "code_challenge_method": "S256", "default_timeout": SECONDS},
    )


def _secret(settings: Settings) -> str:
    path = settings.oidc_secret_file
    assert path is not None
    try:
        mode, text = path.stat().st_mode, path.read_text().strip()
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"ATTUNE_OIDC_SECRET_FILE is {path}, which cannot be read. Write the client's secret into it."
        ) from error
    if mode & 0o077 or not text:
        raise SettingsError(
            f"{path} must hold the client's secret, and only Attune's user may read it. Run: `chmod 600 {path}`"
        )
    return text


def begin(settings: Settings) -> ResponseReturnValue:
    """Send the browser to the provider. Raises AccessError where it does not answer."""
    try:
        reply: ResponseReturnValue = _client().authorize_redirect(settings.web_address + WAY_BACK)
    except (AuthlibBaseError, requests.RequestException, RuntimeError, ValueError) as error:
        raise _not_proved(error) from error
    return reply


def proved_address(settings: Settings) -> str:
    """The verified address of whom the provider has just sent back.

    Raises AccessError for a state or nonce that is not this browser's, a token that is not signed by the provider's
    key, is for or by somebody else, or too old, and for an address that the provider has not verified.
    """
    client = _client()
    issuer = {"essential": True, "values": [settings.oidc_issuer]}
    try:
        client.load_server_metadata()["id_token_signing_alg_values_supported"] = ALGORITHMS
        token = client.authorize_access_token(claims_options={"iss": issuer})
    except (AuthlibBaseError, JoseError, requests.RequestException, RuntimeError, ValueError) as error:
        raise _not_proved(error) from error
    claims = token.get("userinfo") or {}
    if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
        raise AccessError("Your company's login did not say that it has verified your email address. Ask its admin.")
    return str(claims["email"]).strip().casefold()


def _client() -> Any:
    return current_app.extensions[NAME]


def _not_proved(error: Exception) -> AccessError:
    log.warning("login by the provider refused: %s: %s", type(error).__name__, error)
    return AccessError("The login by your company's account did not work. Log in again from this page.")
