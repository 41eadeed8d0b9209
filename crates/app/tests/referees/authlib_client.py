"""Authlib as its users write it, one cell at a time. It has no DPoP."""

import json
import os
import secrets
import ssl
import sys
import time
import traceback

import httpx
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

environ = os.environ
issuer, callback, directory = environ["ISSUER"], environ["CALLBACK"], environ["DIRECTORY"]
DEVICE, EXCHANGE, BEARER = (f"urn:ietf:params:oauth:grant-type:{name}" for name in ("device_code", "token-exchange", "jwt-bearer"))


def say(message):
    print(json.dumps(message), flush=True)


def visit(url):
    """Has the person's browser go to an address; where it ends."""
    say({"visit": url})
    return json.loads(sys.stdin.readline())["back"]


def trust(certificate=None):
    context = ssl.create_default_context(cafile=environ["CA"])
    if certificate:
        context.load_cert_chain(f"{directory}/{certificate}.pem", f"{directory}/{certificate}.key")
    return context


found = httpx.get(f"{issuer}/.well-known/openid-configuration", verify=trust()).json()
KEYS = {name: ECKey.import_key(open(f"{directory}/{name}.key").read()) for name in ("right", "wrong")}
keys = KeySet.import_key_set(httpx.get(found["jwks_uri"], verify=trust()).json())


class Client:
    """The client of a cell, good or as an attempt has it."""

    def __init__(self, cell, attempt=None):
        method, bad = cell["authentication"], attempt == "credential"
        mutual = method == "tls_client_auth" or cell["binding"] == "mtls"
        self.endpoints = {**found, **found.get("mtls_endpoint_aliases", {})} if mutual else found
        certificate = None if not mutual or attempt == "unproved" else "wrong" if bad and method == "tls_client_auth" else "right"
        name = "nobody" if bad and method == "none" else cell["client_id"]
        secret = {
            "client_secret_basic": environ["SECRET"].lower() if bad else environ["SECRET"],
            "private_key_jwt": KEYS["wrong" if bad else "right"],
        }.get(method)
        # A certificate is the transport's: the body names the client, as for one without authentication.
        self.method = "none" if method == "tls_client_auth" else method
        self.kept = OAuth2Client(
            name,
            secret,
            token_endpoint_auth_method=self.method,
            revocation_endpoint_auth_method=self.method,
            redirect_uri=callback,
            code_challenge_method="S256",
            verify=trust(certificate),
        )

    @property
    def session(self):
        """The session, with an assertion that was not used yet: Authlib keeps the first one's `jti` in the claims it was given."""
        # RFC 7523bis: the audience is the issuer; Authlib's default is the token endpoint, and an hour.
        claims = {"aud": issuer, "exp": int(time.time()) + 60}
        self.kept.register_client_auth_method(PrivateKeyJWT(self.endpoints["token_endpoint"], claims, {"kid": "right"}, alg="ES256"))
        return self.kept

    def token(self, **parameters):
        return self.session.fetch_token(self.endpoints["token_endpoint"], **parameters)

    def authorize(self, scope):
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        start, state = self.session.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier, nonce=nonce, scope=scope)
        return {"authorization_response": visit(start), "code_verifier": verifier, "state": state}, nonce

    def revoke(self, token):
        self.session.revoke_token(self.endpoints["revocation_endpoint"], token=token).raise_for_status()

    def active(self, token):
        return self.session.introspect_token(self.endpoints["introspection_endpoint"], token=token).json()["active"]


def id_token(client, nonce, tokens):
    decoded = jwt.decode(tokens["id_token"], keys, algorithms=found["id_token_signing_alg_values_supported"])
    known = {"nonce": nonce, "client_id": client.session.client_id, "access_token": tokens["access_token"]}
    CodeIDToken(decoded.claims, decoded.header, {"iss": {"value": issuer}}, known).validate(leeway=5)
    return tokens


def authorization_code(good, last, cell, resource):
    parameters, nonce = good.authorize("openid orders:read")
    if cell["attempt"] == "spent":
        good.token(**parameters)
    return id_token(last, nonce, last.token(**parameters, **({} if resource == "orders" else {"resource": resource})))


def refresh_token(good, last, cell, resource):
    parameters, nonce = good.authorize("openid offline_access orders:read")
    kept = id_token(good, nonce, good.token(**parameters))["refresh_token"]
    if cell["attempt"] == "spent":
        good.revoke(kept)
    scope = {"scope": "openid orders:write"} if cell["attempt"] == "reach" else {}
    return last.session.refresh_token(last.endpoints["token_endpoint"], refresh_token=kept, **scope)


def device_code(good, last, cell, resource):
    asked = {"resource": resource} if cell["attempt"] == "reach" else {"scope": "orders:read"}
    # Authlib has no call for RFC 8628 section 3.1; its session authenticates any request to the server.
    session = good.session
    endpoint = good.endpoints["device_authorization_endpoint"]
    started = session.request("POST", endpoint, withhold_token=True, auth=session.client_auth(good.method), data=asked).json()
    if "error" in started:
        raise OAuthError(started["error"])
    visit(started["verification_uri_complete"])
    parameters = {"grant_type": DEVICE, "device_code": started["device_code"]}
    if cell["attempt"] == "spent":
        good.token(**parameters)
    return last.token(**parameters)


def client_credentials(good, last, cell, resource):
    tokens = last.token(grant_type="client_credentials", scope="orders:write" if cell["attempt"] == "reach" else "orders:read")
    if cell["attempt"] == "spent":
        good.revoke(tokens["access_token"])
        revoked = time.monotonic()
        while good.active(tokens["access_token"]):
            assert time.monotonic() - revoked < 1, "still active a second after its revocation"
        raise OAuthError("inactive")
    return tokens


def token_exchange(good, last, cell, resource):
    kind = "urn:ietf:params:oauth:token-type:access_token"
    return last.token(grant_type=EXCHANGE, subject_token=cell["subject_token"], subject_token_type=kind, resource=resource)


def jwt_bearer(good, last, cell, resource):
    if cell["attempt"] == "spent":
        good.token(grant_type=BEARER, assertion=cell["assertion"], resource=resource)
    return last.token(grant_type=BEARER, assertion=cell["assertion"], resource=resource)


GRANTS = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    "client_credentials": client_credentials,
    DEVICE: device_code,
    EXCHANGE: token_exchange,
    BEARER: jwt_bearer,
}

for line in sys.stdin:
    cell = json.loads(line)
    try:
        resource = "billing" if cell["attempt"] == "reach" else "orders"
        tokens = GRANTS[cell["grant"]](Client(cell), Client(cell, cell["attempt"]), cell, resource)
        say({"access_token": tokens["access_token"], "token_type": tokens["token_type"]})
    except OAuthError as error:
        say({"error": error.error})
    except Exception:
        say({"broken": traceback.format_exc()})
