"""
The hub proves itself at the sign-on server with a key of its own, where the server demands that.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jws
from joserfc.jwk import ECKey

from adapters.errors import ConfigurationError
from gateway.sign_on import SignInFailed, TokenVerifier
from gateway.sign_on.client_key import ClientKey
from gateway.sign_on.id_token import IdTokenRequirements
from gateway.sign_on.pending_sign_ins import PendingSignIns
from gateway.sign_on.sign_in import SignIn
from mock_agencies import sign_on as sign_on_server
from mock_agencies.sign_on.directory import client_key
from tests.sign_on.court import ANY_ALGORITHM, ISSUER, NOW, Clock, SignOnCourt

pytestmark = pytest.mark.anyio

CLIENT = "shuniu-pages-confidential"
RETURN_TO = "http://127.0.0.1:8080/signed-in"


def saved(path: Path, key: Any, password: bytes | None = None) -> Path:
    """A private key in a file, as openssl writes it."""
    sealing = BestAvailableEncryption(password) if password else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing))
    path.chmod(0o600)
    return path


@pytest.fixture
def sign_in(court: SignOnCourt, clock: Clock) -> Callable[..., tuple[SignIn, httpx.AsyncClient]]:
    """The hub's way in at the demo's sign-on server, and a browser before that."""

    def made(key: ClientKey | None) -> tuple[SignIn, httpx.AsyncClient]:
        transport = httpx.ASGITransport(sign_on_server.create(ISSUER, clock=clock))
        token_verifier = TokenVerifier(ISSUER, audience="shuniu", transport=transport, clock=clock, ticks=clock)
        attempts: PendingSignIns = court.hub.sign_in_service.sign_in.pending
        demand = IdTokenRequirements(client=CLIENT, acr=("urn:demo:acr:certificate",), max_age=900)
        return SignIn(token_verifier, attempts, demand, clock, key=key), httpx.AsyncClient(
            transport=transport, base_url=ISSUER
        )

    return made


async def comes_back(sign_in: SignIn, browser: httpx.AsyncClient) -> Any:
    """A person goes to the sign-on server and comes back."""
    begun = await sign_in.begin(return_to=RETURN_TO, to="/")
    fields = {name: values[0] for name, values in parse_qs(urlsplit(begun.address).query).items()}
    answer = await browser.post("/authorize", data=fields | {"user": "li.ting"})
    returned = parse_qs(urlsplit(answer.headers["Location"]).query)
    return await sign_in.finish({name: values[0] for name, values in returned.items()}, begun.secret)


async def test_the_hub_exchanges_codes_with_its_key(
    sign_in: Callable[..., tuple[SignIn, httpx.AsyncClient]], tmp_path: Path
) -> None:
    """Hub and server were written apart and meet here, with the class of authentication that the hub asked for."""
    key = ClientKey.load(saved(tmp_path / "client.key", client_key(CLIENT).private_key))
    hub, browser = sign_in(key)
    who = [await comes_back(hub, browser) for _ in range(2)][1]

    assert (who.caller.user, who.caller.client) == ("li.ting", CLIENT)
    assert (who.identity.acr, who.identity.methods) == ("urn:demo:acr:certificate", ("pin", "hwk"))


@pytest.mark.parametrize("key", [None, ClientKey(ECKey.generate_key("P-256"), "ES256")], ids=["none", "another"])
async def test_a_code_is_not_exchanged_with_another_key(
    sign_in: Callable[..., tuple[SignIn, httpx.AsyncClient]], key: ClientKey | None
) -> None:
    """A stolen code and its verifier are not enough."""
    hub, browser = sign_in(key)

    with pytest.raises(SignInFailed, match="sign_in_refused"):
        await comes_back(hub, browser)


@pytest.mark.parametrize(
    ("native", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (rsa.generate_private_key(65537, 2048), "RS256"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
    ids=["ES256", "RS256", "EdDSA"],
)
def test_an_assertion_is_for_one_server_and_one_minute(tmp_path: Path, native: Any, algorithm: str) -> None:
    """Every proof has an id of its own."""
    key = ClientKey.load(saved(tmp_path / "client.key", native))
    proofs = [key.proof("hub", ISSUER, NOW + 0.5) for _ in range(2)]
    tokens = [jws.deserialize_compact(proof["client_assertion"], key._key, registry=ANY_ALGORITHM) for proof in proofs]
    first, second = (json.loads(token.payload) for token in tokens)

    assert tokens[0].headers() == {"alg": algorithm, "typ": "JWT"}
    assert first == {
        "iss": "hub",
        "sub": "hub",
        "aud": ISSUER,
        "jti": first["jti"],
        "iat": NOW,
        "exp": NOW + 60,
    }
    assert first["jti"] != second["jti"]


def test_an_invalid_key_file_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    """Nothing there, nonsense, a public key, a weak or foreign one, one under a password, one that others can read."""
    good = ec.generate_private_key(ec.SECP256R1())
    paths = [tmp_path / str(number) for number in range(7)]
    paths[1].write_text("nonsense")
    paths[2].write_bytes(good.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    saved(paths[3], rsa.generate_private_key(65537, 1024))
    saved(paths[4], ec.generate_private_key(ec.SECP384R1()))
    saved(paths[5], good, password=b"secret")
    saved(paths[6], x25519.X25519PrivateKey.generate())
    open_to_all = saved(tmp_path / "open", good)
    open_to_all.chmod(0o644)

    for path in paths:
        with pytest.raises(ConfigurationError, match="openssl genpkey") as caught:
            ClientKey.load(path)
        assert caught.value.__context__ is None
    with pytest.raises(ConfigurationError, match="chmod 600"):
        ClientKey.load(open_to_all)
