"""
Signed replies from a server over a socket, configured as a court would configure them.
"""

from pathlib import Path

import pytest

from adapters.registry import load_agencies
from fuzz import harness
from gateway.lookup.fan_out import AgencyReply
from mock_agencies.public_security.signing import SoapSigner
from mock_agencies.serving import serving
from schemas.codes import AnswerState, Reason

pytestmark = pytest.mark.anyio


async def asked(folder: Path, certificate: bytes | None) -> AgencyReply:
    """One identity lookup at a server that signs, by a route that trusts `certificate`, or the server's own."""
    async with serving(["public_security"], certificate=folder / "agency.pem") as servers:
        if certificate is not None:
            (folder / "agency.pem").write_bytes(certificate)
        target = harness.TARGETS["signed"]
        agencies = load_agencies(
            harness.configuration(target, folder),
            harness.credentials_file(folder),
            addresses={target.agency: servers[target.agency].address},
        )
        try:
            return await harness.ask(agencies[target.agency], target.capability)
        finally:
            await agencies.aclose()


async def test_a_signed_reply_is_found(tmp_path: Path) -> None:
    """By the certificate that the agency handed over."""
    answer = await asked(tmp_path, None)

    assert (answer.state, answer.reason) == (AnswerState.FOUND, None)


async def test_under_another_certificate_it_is_unavailable(tmp_path: Path) -> None:
    """And the clerk is told why."""
    answer = await asked(tmp_path, SoapSigner().pem)

    assert (answer.state, answer.reason) == (AnswerState.UNAVAILABLE, Reason.SIGNATURE)
