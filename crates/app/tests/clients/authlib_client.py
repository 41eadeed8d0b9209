"""Authlib as its users write it: discovery, code with PKCE, the ID token, refresh, introspection, revocation."""

import os
import re
import secrets
import ssl
import time
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

environ = os.environ
issuer, callback = environ["ISSUER"], environ["CALLBACK"]
trust = ssl.create_default_context(cafile=environ["CA"])


def log_in(start):
    """The login page walked without a browser; the address the application is reached with."""
    browser, url, form = httpx.Client(verify=trust), start, None
    for _ in range(12):
        if form is None:
            answer = browser.get(url)
        else:
            parts = urlsplit(url)
            answer = browser.post(url, data=form, headers={"origin": f"{parts.scheme}://{parts.netloc}", "sec-fetch-site": "same-origin"})
        form = None
        if "location" in answer.headers:
            url = urljoin(url, answer.headers["location"])
            if url.startswith(callback):
                return url
            continue
        transaction = re.search(r'name="transaction" value="([^"]*)"', answer.text)
        assert transaction, f"{url} shows no form (status {answer.status_code}): {answer.text}"
        url = urljoin(url, re.search(r'<form[^>]*action="([^"]*)"', answer.text)[1].replace("&#38;", "&"))
        form = {"transaction": transaction[1], "username": environ["PERSON"], "password": environ["PASSWORD"]}
    raise AssertionError("the login did not end")


found = httpx.get(f"{issuer}/.well-known/openid-configuration", verify=trust).json()
assert found["issuer"] == issuer

web = OAuth2Client(
    "web",
    token_endpoint_auth_method="none",
    scope="openid profile offline_access orders:read",
    redirect_uri=callback,
    code_challenge_method="S256",
    verify=trust,
)
verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
start, state = web.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
back = log_in(start)
assert parse_qs(urlsplit(back).query)["iss"] == [issuer]
token = web.fetch_token(found["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state)

keys = KeySet.import_key_set(httpx.get(found["jwks_uri"], verify=trust).json())
decoded = jwt.decode(token["id_token"], keys, algorithms=found["id_token_signing_alg_values_supported"])
claims = CodeIDToken(decoded.claims, decoded.header, {"iss": {"value": issuer}}, {"nonce": nonce, "client_id": "web", "access_token": token["access_token"]})
claims.validate(leeway=5)
assert web.get(found["userinfo_endpoint"]).json()["sub"] == claims["sub"]

refreshed = web.refresh_token(found["token_endpoint"], refresh_token=token["refresh_token"])
assert refreshed["refresh_token"] != token["refresh_token"]

program = OAuth2Client(environ["PROGRAM"], environ["PROGRAM_SECRET"], token_endpoint_auth_method="client_secret_basic", verify=trust)
program.fetch_token(found["token_endpoint"], grant_type="client_credentials")


def active(access_token):
    return program.introspect_token(found["introspection_endpoint"], token=access_token).json()["active"]


assert active(refreshed["access_token"])
web.revoke_token(found["revocation_endpoint"], token=refreshed["refresh_token"])
revoked = time.monotonic()
while active(refreshed["access_token"]):
    assert time.monotonic() - revoked < 1
try:
    web.refresh_token(found["token_endpoint"], refresh_token=refreshed["refresh_token"])
except OAuthError as error:
    assert error.error == "invalid_grant", error
else:
    raise AssertionError("a revoked refresh token brought tokens")
