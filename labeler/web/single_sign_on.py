"""Log in by a company's OpenID Connect provider: Authlib does the code flow with PKCE, state and nonce.

Who may come in is decided here: an address that the provider says is verified, and that has an open login already. The
role is the login's own; nothing that the provider says changes it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError

from attune.labeler.people import users
from attune.labeler.settings import Settings
from attune.models.errors import AccessError, DataError, SettingsError

log = logging.getLogger("attune.web")
NAME = "oidc"
WAY_BACK = "/login/single/back"
SECONDS = 3
# Of the console's eight threads, so that a provider that hangs does not take the console with it.
_asking = BoundedSemaphore(2)
PATIENCE = 2.0  # seconds that another login waits for one of them
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
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
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
    """Send the browser to the provider. Raises AccessError where it does not answer, or is another than was set."""
    try:
        with _turn():
            _check_name(settings)
            reply: ResponseReturnValue = _client().authorize_redirect(settings.web_address + WAY_BACK)
    except (AuthlibBaseError, requests.RequestException, RuntimeError, ValueError) as error:
        raise _not_proved(error) from error
    return reply


@contextmanager
def _turn() -> Iterator[None]:
    """Ask the provider. Raises AccessError where others have asked it and it does not answer."""
    if not _asking.acquire(timeout=PATIENCE):
        raise AccessError("Your company's login answers slowly. Try again in a minute.")
    try:
        yield
    finally:
        _asking.release()


def _check_name(settings: Settings) -> None:
    named = _client().load_server_metadata().get("issuer")
    if named != settings.oidc_issuer:
        log.warning("the provider calls itself %r, ATTUNE_OIDC_ISSUER is %r", named, settings.oidc_issuer)
        raise AccessError(
            f"ATTUNE_OIDC_ISSUER is {settings.oidc_issuer}, but the provider calls itself {str(named)[:200]}, so no "
            "login would work. Ask your admin to set it to the second, letter by letter."
        )


def proved_address(settings: Settings) -> str:
    """The verified address of whom the provider has just sent back.

    Raises AccessError for a state or nonce that is not this browser's, a token that is not signed by the provider's
    key, is for or by somebody else, or too old, and for an address that the provider has not verified.
    """
    client = _client()
    wanted = {"iss": settings.oidc_issuer, "aud": settings.oidc_client_id}
    options = {claim: {"essential": True, "values": [value]} for claim, value in wanted.items()}
    try:
        with _turn():
            client.load_server_metadata()["id_token_signing_alg_values_supported"] = ALGORITHMS
            token = client.authorize_access_token(claims_options=options)
    except (AuthlibBaseError, JoseError, requests.RequestException, RuntimeError, ValueError) as error:
        raise _not_proved(error) from error
    claims = token.get("userinfo") or {}
    if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
        raise AccessError("Your company's login did not say that it has verified your email address. Ask its admin.")
    return _as_kept(str(claims["email"]).strip())


def _as_kept(email: str) -> str:
    """``email`` with capitals from A to Z made small. Raises AccessError where any other change would be needed: two
    domains that look alike to us, such as with ß and ss, are two people's."""
    plain = "".join(sign.lower() if sign.isascii() else sign for sign in email)
    try:
        if users.new_address(email) == plain:
            return plain
    except DataError:
        pass
    raise AccessError(
        f"Your company's login proved the address {email[:200]}, which Attune cannot take as it is. Ask its admin "
        "for an address in plain letters."
    )


def _client() -> Any:
    return current_app.extensions[NAME]


def _not_proved(error: Exception) -> AccessError:
    log.warning(
        "login by the provider refused: %s: %.200r", type(error).__name__, str(error)
    )  # a stranger may write it
    return AccessError("The login by your company's account did not work. Log in again from this page.")
