"""
The ticket system's access tokens, cached until shortly before they end.
"""

import time
from collections.abc import Callable

import httpx

from mock_agencies.sign_on.assertions import ASSERTION_TYPE, make_assertion

EARLY_SECONDS = 60


class ClientCredentials:
    """Client credentials of one client at one sign-on server.  Call it for a valid token."""

    def __init__(self, issuer: str, client: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._token = ""
        self._until = 0.0

    def __call__(self) -> str:
        if self._clock() >= self._until:
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": make_assertion(self._client, self._issuer),
            }
            answer = httpx.post(f"{self._issuer}/token", data=form, trust_env=False).raise_for_status().json()
            self._token, self._until = answer["access_token"], self._clock() + answer["expires_in"] - EARLY_SECONDS
        return self._token
