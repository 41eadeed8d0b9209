"""Python's own client and httpx, which trust what SSL_CERT_FILE names, and requests, which trusts what REQUESTS_CA_BUNDLE names."""

import json
import os
import ssl
import urllib.request

import httpx
import requests

document = os.environ["AUTHORITY"] + "/realms/main/.well-known/openid-configuration"
with urllib.request.urlopen(document) as answer:
    issuer = json.load(answer)["issuer"]
assert httpx.get(document, verify=ssl.create_default_context()).json()["issuer"] == issuer
assert requests.get(document).json()["issuer"] == issuer
print(issuer)
