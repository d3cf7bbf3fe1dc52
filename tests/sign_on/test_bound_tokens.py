"""
Tokens that are bound to a certificate (RFC 8705), over real TLS: worth something in their owner's hands, and nowhere
else.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from adapters.errors import ConfigurationError
from gateway.api.middleware import DrainState
from gateway.server import UvicornServer, bind, server_config
from gateway.settings import Settings
from gateway.sign_on.mtls import tls_context
from mock_agencies import sign_on as sign_on_server
from mock_agencies.sign_on import make_assertion
from tests.sign_on.certificates import Authority, Paper
from tests.sign_on.court import ISSUER, NOW, Clock, Issuer, SignOnCourt, problem

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Who has which certificate."""

    authority: Authority
    hub: Paper
    service: Paper
    another: Paper
    stranger: Paper


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of the court, and one of another issuer."""
    folder = tmp_path_factory.mktemp("papers")
    authority, foreign = Authority(folder, "court"), Authority(folder, "elsewhere")
    return Papers(
        authority=authority,
        hub=authority.issue("hub"),
        service=authority.issue("service"),
        another=authority.issue("another"),
        stranger=foreign.issue("stranger"),
    )


def tls_settings(papers: Papers) -> dict[str, Any]:
    """The settings of a hub that speaks TLS itself and asks for certificates."""
    return {
        "tls_certificate": papers.hub.certificate,
        "tls_key": papers.hub.key,
        "tls_client_ca": papers.authority.certificate,
    }


@asynccontextmanager
async def served(app: Any, tls: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Serves an application on a socket of this machine, as the hub is served; gives its address."""
    with bind("127.0.0.1", 0) as listener:
        server = UvicornServer(server_config(app, tls), DrainState(), drain=5)
        server.config.lifespan = "off"
        # The inner half of serve(): the outer one takes the signals of this process.
        running = asyncio.create_task(server._serve(sockets=[listener]))
        try:
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


Ask = Callable[..., Any]


@pytest.fixture
async def ask(open_court: Callable[..., Any], papers: Papers) -> AsyncIterator[Ask]:
    """Calls the hub over TLS with a token and a certificate."""
    court: SignOnCourt = await open_court(**tls_settings(papers), bound_clients="ticket-system")
    async with served(court.app, tls_context(court.hub.settings)) as address:

        async def call(token: str, paper: Paper | None, **headers: str) -> httpx.Response:
            context = papers.authority.trusted_by(paper)
            headers = {"Authorization": f"Bearer {token}"} | headers
            async with httpx.AsyncClient(verify=context, base_url=address, trust_env=False) as client:
                by_framework = await client.get("/v1/session", headers=headers)
                by_short_way = await client.post("/v1/lookups", headers=headers, json={})
            # Both ways in say the same of the caller; a good one gets as far as the check of the body.
            assert by_short_way.status_code == {200: 422}.get(by_framework.status_code, by_framework.status_code)
            return by_framework

        yield call


def bound(issuer: Issuer, paper: Paper, **changes: Any) -> str:
    """A token of the ticket system, bound to this certificate."""
    claims = {"sub": "ticket-system", "client_id": "ticket-system", "cnf": {"x5t#S256": paper.thumbprint}}
    return issuer.token(**(claims | changes))


async def test_a_bound_token_works_with_its_certificate(ask: Ask, issuer: Issuer, papers: Papers) -> None:
    """The owner notices nothing."""
    answer = await ask(bound(issuer, papers.service), papers.service)

    assert (answer.status_code, answer.json()["client"]) == (200, "ticket-system")


async def test_a_bound_token_is_refused_without_its_certificate(ask: Ask, issuer: Issuer, papers: Papers) -> None:
    """Replayed without one, or by another client with its own; also right after the owner has used it."""
    token = bound(issuer, papers.service)
    answers = [await ask(token, paper) for paper in (papers.service, None, papers.another, papers.service)]

    assert answers[0].status_code == answers[3].status_code == 200
    assert [problem(answer) for answer in answers[1:3]] == [(401, "wrong_certificate")] * 2


async def test_a_certificate_of_another_issuer_fails_the_handshake(ask: Ask, issuer: Issuer, papers: Papers) -> None:
    """The handshake fails, whatever the token says."""
    with pytest.raises(httpx.TransportError):
        await ask(bound(issuer, papers.stranger), papers.stranger)


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Client-Cert", "X-SSL-Client-Cert", "X-Client-Cert", "Client-Cert", "SSL-Client-Cert"]
)
async def test_a_certificate_in_a_header_is_ignored(ask: Ask, issuer: Issuer, papers: Papers, name: str) -> None:
    """What counts is the handshake."""
    certificate = papers.service.certificate.read_text().strip().replace("\n", " ")
    answer = await ask(bound(issuer, papers.service), None, **{name: certificate})

    assert problem(answer) == (401, "wrong_certificate")


async def test_a_client_that_must_bind_its_tokens_is_refused_without_binding(
    ask: Ask, issuer: Issuer, papers: Papers
) -> None:
    """Its certificate alone is not enough: the token itself must name it.  Other clients are free."""
    free = issuer.token(sub="ticket-system", client_id="ticket-system")
    answers = [await ask(free, papers.service), await ask(free, None), await ask(issuer.token(), None)]

    assert [problem(answer) for answer in answers[:2]] == [(401, "not_bound")] * 2
    assert answers[2].status_code == 200


@pytest.mark.parametrize(
    "cnf",
    [
        {},
        [],
        "x5t#S256",
        {"x5t#S256": None},
        {"x5t#S256": "a" * 64},
        {"x5t#S256": "é" * 43},
        {"jkt": "a" * 43},
        {"x5t#S256": "a" * 43, "jkt": "a" * 43},
    ],
    ids=str,
)
async def test_a_token_with_an_unknown_binding_is_refused(ask: Ask, issuer: Issuer, papers: Papers, cnf: Any) -> None:
    """In hexadecimal, by another means, or empty: not bound is not what it says."""
    assert problem(await ask(bound(issuer, papers.service, cnf=cnf), papers.service)) == (401, "malformed")


async def test_a_bound_token_is_refused_over_plain_http(court: SignOnCourt, issuer: Issuer, papers: Papers) -> None:
    """Behind a proxy there is no handshake with the client."""
    async with served(court.app, None) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
        headers = {"Authorization": f"Bearer {bound(issuer, papers.service)}"}
        answer = await client.get("/v1/session", headers=headers)

    assert problem(answer) == (401, "wrong_certificate")


def test_old_tls_versions_are_refused(papers: Papers) -> None:
    """1.2 at least; and without `tls_client_ca` nobody is asked for a certificate."""
    asking = tls_context(Settings(**tls_settings(papers)))
    silent = tls_context(Settings(**(tls_settings(papers) | {"tls_client_ca": None})))

    assert asking is not None
    assert silent is not None
    assert (asking.minimum_version, asking.verify_mode) == (ssl.TLSVersion.TLSv1_2, ssl.CERT_OPTIONAL)
    assert (silent.minimum_version, silent.verify_mode) == (ssl.TLSVersion.TLSv1_2, ssl.CERT_NONE)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that mends it."""
    paper = Authority(tmp_path, "court").issue("hub")
    paper.key.chmod(0o640)

    with pytest.raises(ConfigurationError, match=r"chmod 600 .*hub\.key"):
        tls_context(Settings(tls_certificate=paper.certificate, tls_key=paper.key))


def test_a_certificate_and_a_key_that_do_not_match_are_refused(tmp_path: Path) -> None:
    """Another's key, a key under a password, a file that is not there: a sentence, and no question at the terminal."""
    authority = Authority(tmp_path, "court")
    paper, other, locked = authority.issue("hub"), authority.issue("other"), authority.issue("locked", password=b"x")

    for certificate, key in (
        (paper.certificate, other.key),
        (locked.certificate, locked.key),
        (tmp_path / "none.pem", paper.key),
        (paper.key, paper.key),
    ):
        with pytest.raises(ConfigurationError, match="SHUNIU_TLS_CERTIFICATE") as caught:
            tls_context(Settings(tls_certificate=certificate, tls_key=key))
        assert caught.value.__context__ is None


async def test_the_sign_on_server_binds_the_token_to_the_certificate_that_it_sees(papers: Papers, clock: Clock) -> None:
    """A service that authenticates over mutual TLS gets a bound token, without a certificate a free one."""
    app = sign_on_server.create(ISSUER, clock=clock)
    confirmations = []
    async with served(app, tls_context(Settings(**tls_settings(papers)))) as address:
        for paper in (papers.service, None):
            context = papers.authority.trusted_by(paper)
            async with httpx.AsyncClient(verify=context, base_url=address, trust_env=False) as client:
                form = {
                    "grant_type": "client_credentials",
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    "client_assertion": make_assertion("ticket-system", ISSUER, now=NOW),
                }
                tokens = (await client.post("/token", data=form)).json()
                keys = KeySet.import_key_set((await client.get("/jwks")).json())
            confirmations.append(jwt.decode(tokens["access_token"], keys, ["ES256"]).claims.get("cnf"))

    assert confirmations == [{"x5t#S256": papers.service.thumbprint}, None]


async def test_the_shortcut_binds_a_services_token_to_a_thumbprint(server: httpx.AsyncClient) -> None:
    """For demo and tests."""
    order = {"client": "ticket-system", "thumbprint": "a" * 43}
    tokens = (await server.post("/_control/token", json=order)).json()
    keys = KeySet.import_key_set((await server.get("/jwks")).json())

    assert jwt.decode(tokens["access_token"], keys, ["ES256"]).claims["cnf"] == {"x5t#S256": "a" * 43}
