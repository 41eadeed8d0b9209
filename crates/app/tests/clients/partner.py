"""A partner's issuer, by PyJWT: its keys, its tokens, and those of people who would like to be it. Claims and a secret come in, JSON goes out."""

import base64
import hashlib
import hmac
import json
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

asked = json.load(sys.stdin)
claims, secret = asked["claims"], asked["secret"]
curve, modulus, stranger = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


def jwk(algorithm, key, **members):
    return json.loads(algorithm.to_jwk(key.public_key())) | members


def token(key, algorithm, kid=None, typ="at+jwt", header=None, **changed):
    headers = {"typ": typ} | ({"kid": kid} if kid else {}) | (header or {})
    return jwt.encode(claims | changed, key, algorithm=algorithm, headers=headers)


def text(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def mac(secret, digest, name, kid):
    """PyJWT takes no public key for a secret; whoever forges does."""
    signed = text(json.dumps({"alg": name, "typ": "at+jwt", "kid": kid}).encode()) + b"." + text(json.dumps(claims).encode())
    return (signed + b"." + text(hmac.new(secret, signed, digest).digest())).decode()


own = jwk(jwt.algorithms.ECAlgorithm, stranger)
bad = {
    "none": token(None, "none"),
    "JOSE-012 jku": token(stranger, "ES256", "ec", header={"jku": "https://attacker.example/keys"}),
    "JOSE-014 jwk": token(stranger, "ES256", "ec", header={"jwk": own}),
    "JOSE-008 another kid": token(stranger, "ES256", "x' UNION SELECT 'AA'-- "),
    "JOSE-031 an ID token": token(curve, "ES256", "ec", typ="JWT"),
    "JOSE-032 an identity token": token(curve, "ES256", "ec", typ="dw-id+jwt"),
    "JOSE-043 expired": token(curve, "ES256", "ec", iat=claims["iat"] - 600, exp=claims["iat"] - 300),
    "TOK another audience": token(curve, "ES256", "ec", aud="https://elsewhere.example"),
    "TOK another issuer": token(curve, "ES256", "ec", iss="https://elsewhere.example"),
    "GWID another issuer's key": token(curve, "ES256", "ec", iss="https://legacy.example"),
    "JOSE-003 another algorithm of the secret": token(secret, "HS256", iss="https://legacy.example"),
}
for encoding, form in ((Encoding.PEM, "PEM"), (Encoding.DER, "DER")):
    for key, kid in ((curve, "ec"), (modulus, "rsa")):
        public = key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        for digest, name in ((hashlib.sha256, "HS256"), (hashlib.sha384, "HS384"), (hashlib.sha512, "HS512")):
            bad[f"JOSE-003 {name} under the public key {kid} in {form}"] = mac(public, digest, name, kid)

json.dump(
    {
        "jwks": {"keys": [jwk(jwt.algorithms.ECAlgorithm, curve, kid="ec"), jwk(jwt.algorithms.RSAAlgorithm, modulus, kid="rsa", alg="RS256")]},
        "good": [token(curve, "ES256", "ec"), token(modulus, "RS256", "rsa")],
        "shared": token(secret, "HS512", iss="https://legacy.example"),
        "away": token(curve, "ES256", "ec", iss="https://away.example"),
        "bad": bad,
    },
    sys.stdout,
)
