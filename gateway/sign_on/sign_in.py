"""
Sign-in of people: authorization code with PKCE, state, nonce and the issuer's name in the answer (RFC 9700, 9207).
"""

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gateway.sign_on.caller import Caller
from gateway.sign_on.client_key import ClientKey
from gateway.sign_on.errors import NotSignedIn, SignInFailed, SignInRule, SignInStep, SignOnUnavailable
from gateway.sign_on.id_token import IdTokenIdentity, IdTokenRequirements, identity_from_claims
from gateway.sign_on.jws import IDENTITY_TYPES, authentic_claims
from gateway.sign_on.oidc_client import FETCH_SECONDS, UNTRUSTED
from gateway.sign_on.pending_sign_ins import PendingSignIn, PendingSignIns
from gateway.sign_on.token_verifier import TokenVerifier

SCOPE = "openid profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedSignIn:
    """The address for the browser, and the secret that identifies it when it comes back."""

    address: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The person, how they authenticated, and the page that they requested."""

    caller: Caller
    identity: IdTokenIdentity
    to: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """
    Sends people to the sign-on server and takes them back.  `clock` gives Unix time; without `key` the hub is a public
    client, known to the server by its address alone.
    """

    verifier: TokenVerifier
    pending: PendingSignIns
    requirements: IdTokenRequirements
    clock: Callable[[], float]
    key: ClientKey | None = None

    async def begin(self, *, return_to: str, to: str) -> StartedSignIn:
        """
        Begins a sign-in that comes back to our address `return_to` and then goes on to our page `to`.

        Raises `SignOnUnavailable`, `DatabaseUnavailable`.
        """
        endpoints = await self.verifier.keys.endpoints()
        attempt = PendingSignIn(return_to=return_to, to=to)
        secret, state = await self.pending.keep(attempt)
        parameters = {
            "response_type": "code",
            "client_id": self.requirements.client,
            "redirect_uri": return_to,
            "scope": SCOPE,
            "state": state,
            "nonce": attempt.nonce,
            "code_challenge": _challenge(attempt.verifier),
            "code_challenge_method": "S256",
            "max_age": str(self.requirements.max_age),
        }
        if self.requirements.acr:
            parameters["acr_values"] = " ".join(self.requirements.acr)
        separator = "&" if "?" in endpoints.authorization else "?"
        return StartedSignIn(address=f"{endpoints.authorization}{separator}{urlencode(parameters)}", secret=secret)

    async def finish(self, answer: Mapping[str, str], secret: str | None) -> SignedIn:
        """
        The person whom the browser with this secret and this answer brings back.  Each sign-in finishes once.

        Raises `SignInFailed`, `SignOnUnavailable`, `DatabaseUnavailable`.
        """
        attempt = await self.pending.take(secret, answer.get("state", ""))
        if attempt is None:
            raise SignInFailed(SignInStep.NOT_BEGUN_HERE)
        endpoints = await self.verifier.keys.endpoints()
        if answer.get("iss", None if endpoints.names_itself else self._issuer) != self._issuer:
            raise SignInFailed(SignInStep.OTHER_ISSUER)
        code = answer.get("code")
        if not code or "error" in answer:
            raise SignInFailed(SignInStep.REFUSED_THERE)
        return await self._verify(await self._tokens(endpoints.token, code, attempt), attempt)

    @property
    def _issuer(self) -> str:
        return self.verifier.issuer.address

    async def _tokens(self, address: str, code: str, attempt: PendingSignIn) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.requirements.client,
            "redirect_uri": attempt.return_to,
            "code_verifier": attempt.verifier,
        }
        if self.key is not None:
            form |= self.key.proof(self.requirements.client, self._issuer, self.clock())
        tokens, answered = None, False
        with contextlib.suppress(*UNTRUSTED):
            async with asyncio.timeout(FETCH_SECONDS):
                tokens = await self.verifier.issuer.exchange(address, form)
            answered = True
        if not answered:
            raise SignOnUnavailable
        if tokens is None:
            raise SignInFailed(SignInStep.REFUSED_THERE)
        return tokens

    async def _verify(self, tokens: Mapping[str, Any], attempt: PendingSignIn) -> SignedIn:
        broken: SignInRule | None = None
        try:
            identity = identity_from_claims(
                await authentic_claims(self.verifier.keys, _token(tokens, "id_token"), IDENTITY_TYPES),
                self.requirements,
                issuer=self._issuer,
                nonce=attempt.nonce,
                now=self.clock(),
            )
            caller = await self.verifier.verify(_token(tokens, "access_token"))
        except NotSignedIn as error:
            broken = error.rule
        if broken is not None:
            raise SignInFailed(SignInStep.NOT_TRUSTED, broken)
        # Both tokens of an answer must describe one person, and this client.
        if (caller.user, caller.client) != (identity.user, self.requirements.client):
            raise SignInFailed(SignInStep.NOT_TRUSTED, SignInRule.WRONG_AUDIENCE)
        return SignedIn(caller=caller, identity=identity, to=attempt.to)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _token(tokens: Mapping[str, Any], name: str) -> bytes:
    token = tokens.get(name)
    if not isinstance(token, str) or not token.isascii():
        raise NotSignedIn(SignInRule.MALFORMED)
    return token.encode()
