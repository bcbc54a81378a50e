"""Keys and tokens for the tests. Needs the package cryptography (Debian: python3-cryptography)."""

import base64
import json
import sys
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER = "https://issuer.example/"
AUDIENCE = "https://api.example/"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """An RSA key with its `kid`."""

    def __init__(self, kid):
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                "n": b64(numbers.n.to_bytes(256, "big")), "e": b64(numbers.e.to_bytes(3, "big"))}

    def sign(self, claims, **header):
        """A token. A header parameter that is None is left out; `claims` may be JSON text."""
        header = {"alg": "RS256", "typ": "at+jwt", "kid": self.kid, **header}
        header = {name: value for name, value in header.items() if value is not None}
        payload = claims if isinstance(claims, str) else json.dumps(claims, separators=(",", ":"))
        text = f"{b64(json.dumps(header, separators=(',', ':')).encode())}.{b64(payload.encode())}"
        return f"{text}.{b64(self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def jwks(*keys):
    return json.dumps({"keys": [key.jwk() for key in keys]})


def claims(**changes):
    """The claims of a good access token. A change to None leaves a claim out."""
    now = int(time.time())
    found = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user|1", "client_id": "client-1", "iat": now,
             "exp": now + 3600, "jti": "t-1", "scope": "read:items write:items",
             "realm_access": {"roles": ["staff", "admin"]}, "tenant": "t\u00e4nant", "level": 7,
             "admin": True, **changes}
    return {name: value for name, value in found.items() if value is not None}


if __name__ == "__main__":
    # The file of tests/misuse.c.
    key = Key("a")
    found = claims()
    lines = [key.sign(found), jwks(key), ISSUER, AUDIENCE, found["sub"], str(found["iat"])]
    sys.stdout.write("\n".join(lines) + "\n")
